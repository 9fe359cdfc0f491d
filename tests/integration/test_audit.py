"""Audits from the draw to the report, over real stages."""

import pytest

from gem_tasks.domain.audit import Rating
from gem_tasks.errors import UserError
from gem_tasks.pipeline.audit import items, rate, result, start
from tests.integration.test_pipeline import EXAMPLES, PARTITION, finished, synthesise  # noqa: F401 - fixtures


def ratings(numbers, rater, coherence=5):
    return [
        Rating(item=item, rater=rater, coherence=coherence, relevance=4, faithfulness=4, comment="<b>fine</b>")
        for item in numbers
    ]


@pytest.mark.parametrize("what", ["trajectories", "segments"])
def test_a_sample_is_drawn_shown_rated_and_summed_up(finished, what):  # noqa: F811
    work, *_ = finished
    number = start(work, what, size=6, seed=3)
    shown = items(work, number)
    assert [item.item for item in shown] == list(range(6))
    assert all(item.text and item.made and item.uri for item in shown)
    assert [item.segment_id for item in items(work, start(work, what, 6, 3))] == [item.segment_id for item in shown]
    others = [frozenset(item.segment_id for item in items(work, start(work, what, 6, seed))) for seed in range(4, 9)]
    assert len(set(others)) > 1
    rate(work, number, ratings(range(6), "ada"))
    rate(work, number, ratings([0, 1], "bob", coherence=2))
    rate(work, number, ratings([1], "bob", coherence=5))
    found = result(work, number)
    assert (found.rated, found.raters, found.passed) == (6, ("ada", "bob"), True)
    assert found.criteria["coherence"].good == 5
    with work.ledger() as ledger:
        row = ledger.pg.execute("SELECT * FROM audited WHERE audit_id = %s", [number]).fetchone()
    assert (row["items"], row["rated"], row["coherent"], row["passed"]) == (6, 6, 5, True)


def test_what_is_not_there_is_named(finished, workspace):  # noqa: F811
    work, *_ = finished
    with pytest.raises(UserError, match="There is no audit yet"):
        result(work)
    number = start(work, "trajectories", 2, 0)
    with pytest.raises(UserError, match="has no item 7"):
        rate(work, number, ratings([7], "ada"))
    with pytest.raises(UserError, match="There is no audit 99"):
        items(work, 99)
    other = workspace(llm_model_extract="another")
    with pytest.raises(UserError, match="There are no segments"):
        start(other, "segments", 5, 0)
