"""The audit through Airflow's own tasks: what is asked, by whom it may be answered, and what an answer does."""

import os
from datetime import UTC, datetime

import pytest

from gem_tasks.audit.draw import draw
from gem_tasks.audit.rate import so_far
from gem_tasks.domain.audit import Sample

pytestmark = [pytest.mark.filterwarnings("default")]


@pytest.fixture
def form(finished, monkeypatch):
    """The form of the first item of an audit of three."""
    work, _, _ = finished
    for name in [name for name in os.environ if name.startswith("GEM_")]:
        monkeypatch.delenv(name)
    audit = draw(work, Sample(size=3))
    with work.ledger() as ledger:
        item = ledger.audits.items(audit.audit_id)[0]
    return {"audit_id": audit.audit_id, "item": item.model_dump(), "rater": None}


@pytest.fixture
def rating(form, finished, monkeypatch):
    """Makes the operator over a form; what it would ask Airflow to show is in `asked`."""
    from airflow.providers.standard.operators import hitl

    from gem_airflow import rating_operator

    asked = []
    monkeypatch.setattr(rating_operator, "workspace", lambda: finished[0])
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **values: asked.append(values))

    def make(**changes):
        made = rating_operator.RatingOperator(task_id="rate", form={**form, **changes}, params=rating_operator.FORM)
        made.asked = asked
        return made

    return make


def answered(option, **fields):
    given = {"coherence": None, "tools": None, "faithfulness": None, "comment": "", **fields}
    return {
        "chosen_options": [option],
        "params_input": given,
        "responded_at": datetime(2026, 1, 31, tzinfo=UTC),
        "responded_by_user": {"id": "anna", "name": "anna"},
    }


def so_far_of(form, finished):
    from gem_tasks.audit.draw import find

    return so_far(finished[0], find(finished[0], form["audit_id"]))


def ask(operator):
    from airflow.sdk.exceptions import TaskAwaitingInput

    class Instance:
        id = "ti"

    with pytest.raises(TaskAwaitingInput):
        operator.execute({"task_instance": Instance()})
    return operator.asked[-1]


def test_the_form_shows_the_texts_and_is_for_everybody_unless_a_rater_is_named(rating, form):
    asked = ask(rating())
    assert "### Conversation" in asked["body"]
    assert "### Text" in asked["body"]
    assert asked["assigned_users"] is None
    assert set(asked["params"]) == {"coherence", "tools", "faithfulness", "comment"}
    assert ask(rating(rater="ben"))["assigned_users"] == [{"id": "ben", "name": "ben"}]


def test_an_answer_is_recorded_under_the_name_of_who_gave_it(rating, form, finished):
    said = rating().execute_complete({}, answered("Save", coherence=5, tools=4, faithfulness=2, comment="fine"))
    assert said.startswith("1 of 3 items are rated") or "a verdict needs" in said
    found = so_far_of(form, finished)
    assert (found.raters, found.qualities["coherence"].good) == ({"anna": 1}, 1)


def test_a_skipped_form_records_nothing(rating, form, finished):
    assert rating().execute_complete({}, answered("Skip")) == "skipped"
    assert so_far_of(form, finished).rated == 0


@pytest.mark.parametrize("scores", [{}, {"coherence": 5, "tools": 5}])
def test_an_incomplete_form_is_asked_again(rating, form, finished, scores):
    from airflow.sdk.exceptions import AirflowException

    with pytest.raises(AirflowException, match="shown again"):
        rating().execute_complete({}, answered("Save", **scores))
    assert so_far_of(form, finished).rated == 0


def test_braces_in_a_text_are_no_template(rating):
    assert "body" not in rating().template_fields
    assert "subject" not in rating().template_fields
