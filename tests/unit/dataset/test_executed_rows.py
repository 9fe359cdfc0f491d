"""A conversation that is not published as it happened is not published as executed."""

from types import SimpleNamespace

import pytest

from gem_tasks.dataset.publish import _as_it_happened
from gem_tasks.dataset.row import Row, execution_columns
from gem_tasks.dataset.select import Chosen
from gem_tasks.domain.record import Topic
from gem_tasks.worlds.played import Execution
from gem_tasks.worlds.steps import Turn
from tests.factories import make_segment, make_trajectory, say

EXECUTION = Execution(world="w", task=1, variant="calm", seed=7, steps=(Turn(),), reached=True)
TOPIC = Topic(summary="s", platform="operator", domains=("finance",), task_category="t")


def chosen(trajectory):
    row = Row(trajectory_id="t", segment=make_segment(), topic=TOPIC, trajectory=trajectory, recipe="r",
              execution=EXECUTION)  # fmt: skip
    return Chosen(row=row, replaced={}, flagged={}, names=(), contamination=None, base="b")


@pytest.mark.parametrize(("published", "verified"), [(make_trajectory(), "executed"),
                                                     (make_trajectory(say("user", "other")), "checked")])  # fmt: skip
def test_an_edited_conversation_loses_its_execution(published, verified):
    final = SimpleNamespace(execution=EXECUTION, trajectory=make_trajectory())
    metadata = _as_it_happened(chosen(published), final).row.metadata("2026-01-31T14:00", {})
    assert metadata["verified"] == verified
    columns = execution_columns(metadata)
    if verified == "executed":
        assert columns == {
            "verified": "executed", "world": "w", "task": 1, "variant": "calm", "seed": 7,
            "steps": '[{"kind":"turn"}]',
        }  # fmt: skip
    else:
        assert columns == {"verified": "checked"} | dict.fromkeys(["world", "task", "variant", "seed", "steps"])
