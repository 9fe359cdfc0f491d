"""Numbers of a text that bound a value: one within the bounds is found, wherever the usual ones lie."""

import random
from datetime import date

import pytest

from gem_tasks import prompts
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.outcome import Accepted
from gem_tasks.domain.record import Record
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.stages import stage
from offline_teacher import answers
from offline_teacher.talk.values import Unfit, Values

DEPOSIT = """# Return a deposit

The clerk returns deposits in the rental system.

1. Search for the rental by its number.
2. Check that the item came back in good condition.
3. Enter the deposit amount. The deposit amount must be at most 15.
4. Confirm the return and choose a reason.
5. Send a message to the customer.
"""


def values(seed=1):
    return Values(rng=random.Random(seed), today=date(2026, 1, 31), company="Nordwind", person="Ann Lee")


@pytest.mark.parametrize("kind", ["number", "integer"])
@pytest.mark.parametrize("name", ["amount", "discount", "year", "count", "page", "temperature"])
@pytest.mark.parametrize(
    "limits",
    [
        {"maximum": 20},
        {"maximum": 1},
        {"maximum": 0},
        {"maximum": -3},
        {"exclusiveMaximum": 1},
        {"exclusiveMinimum": 3, "exclusiveMaximum": 5},
        {"minimum": 14.5, "maximum": 15.4},
        {"minimum": 7, "maximum": 7},
        {"maximum": 50, "multipleOf": 25},
        {"minimum": 9999999},
        {"minimum": 1, "maximum": 1.5},
    ],
)
def test_a_number_within_the_bounds_is_found(kind, name, limits):
    for seed in range(20):
        made = values(seed).make(name, {"type": kind, **limits}, {})
        assert made <= limits.get("maximum", made)
        assert made >= limits.get("minimum", made)
        assert made < limits.get("exclusiveMaximum", made + 1)
        assert made > limits.get("exclusiveMinimum", made - 1)
        assert not made % limits.get("multipleOf", 1) or (kind == "number" and "multipleOf" not in limits)
        assert kind == "number" or isinstance(made, int)


@pytest.mark.parametrize("limits", [{"maximum": 0.001, "exclusiveMinimum": 0}, {"minimum": 2.001, "maximum": 2.004}])
def test_a_narrow_range_is_met_too(limits):
    made = values().make("weight", {"type": "number", **limits}, {})
    assert limits.get("minimum", 0) <= made <= limits["maximum"]


def test_bounds_that_contradict_each_other_have_no_number():
    with pytest.raises(Unfit):
        values().make("weight", {"type": "integer", "minimum": 3, "maximum": 2}, {})


def test_a_text_with_a_small_limit_becomes_a_conversation_within_it():
    segment = Segment(
        segment_id="s", document_id="d", document_uri="file:///d.md", start=0, end=len(DEPOSIT), tokens=90, text=DEPOSIT
    )
    record = Record(segment=segment)
    for name in STAGE_NAMES[: STAGE_NAMES.index("revise")]:
        asked = stage(name).request(record, prompts.load(stage(name).prompt))
        outcome = stage(name).parse(answers.answer([(message.role, message.content) for message in asked]), record)
        assert isinstance(outcome, Accepted), (name, outcome)
        if name != "validate":
            record = record.with_output(name, stage(name).output.model_validate_json(outcome.payload))
    amounts = [
        value
        for message in record.outputs["refine"].messages
        for call in message.tool_calls
        for key, value in call.arguments.items()
        if "amount" in key and isinstance(value, int | float)
    ]
    assert amounts
    assert all(0 < amount <= 15 for amount in amounts)


def test_rules_that_trip_once_are_asked_again_with_another_draw(monkeypatch, caplog):
    def trips(sections, seed):
        if seed % 3:
            raise ZeroDivisionError
        return "an answer"

    monkeypatch.setattr(answers, "_MARKS", (("<trajectory>", trips),))
    asked = [("system", "<trajectory>"), ("user", "anything")]
    assert answers.answer(asked) == "an answer"
    assert answers.answer(asked) == answers.answer(asked)


def test_rules_that_trip_over_every_draw_say_so_instead_of_failing(monkeypatch, caplog):
    def trips(sections, seed):
        raise IndexError("list index out of range")

    monkeypatch.setattr(answers, "_MARKS", (("<multi_step>", trips),))
    said = answers.answer([("system", "<multi_step>"), ("user", "anything")])
    assert "no answer" in said
    assert "IndexError" in caplog.text
