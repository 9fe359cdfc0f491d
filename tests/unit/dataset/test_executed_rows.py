"""A conversation that is not published as it happened is not published as executed."""

from types import SimpleNamespace

import pytest

from gem_tasks.dataset import worlds
from gem_tasks.dataset.publish import _as_it_happened
from gem_tasks.dataset.row import Row, execution_columns
from gem_tasks.dataset.select import Chosen
from gem_tasks.domain.record import Topic
from gem_tasks.worlds.built import world_id
from gem_tasks.worlds.played import Execution, Replayable
from gem_tasks.worlds.steps import Turn
from gem_tasks.worlds.world import World
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
    metadata = _as_it_happened(chosen(published), final, {(make_segment().segment_id, "w")}).row.metadata(
        "2026-01-31T14:00", {}
    )
    assert metadata["verified"] == verified
    columns = execution_columns(metadata)
    if verified == "executed":
        assert columns == {
            "verified": "executed", "world": "w", "task": 1, "variant": "calm", "seed": 7,
            "steps": '[{"kind":"turn"}]',
        }  # fmt: skip
    else:
        assert columns == {"verified": "checked"} | dict.fromkeys(["world", "task", "variant", "seed", "steps"])


def test_one_whose_world_does_not_travel_has_none():
    final = SimpleNamespace(execution=EXECUTION, trajectory=make_trajectory())
    assert _as_it_happened(chosen(make_trajectory()), final, {("another", "w")}).row.execution is None


def replayable(segment_id, **state):
    return Replayable(world=World(state=state, code="", tools=()), scenarios={}, segment_id=segment_id)


def written(monkeypatch, folder, *found):
    monkeypatch.setattr(worlds, "replayables", lambda *given: iter(found))
    rows = [
        Row(
            trajectory_id=each.segment_id, topic=TOPIC, trajectory=make_trajectory(), recipe="r", execution=EXECUTION,
            segment=make_segment(text="Ask h.brandt@relecloud.com, +1 206 555 2368.").model_copy(
                update={"segment_id": each.segment_id}),
        )
        for each in found
    ]  # fmt: skip
    return worlds.write(object(), "p", 0, rows, folder)


def test_a_world_with_personal_data_of_its_text_does_not_travel(monkeypatch, tmp_path):
    taken = replayable("s1", people={"p": {"email": "H.Brandt@relecloud.com"}})
    made_up = replayable("s2", people={"p": {"email": "k.lund@relecloud.com"}})
    assert written(monkeypatch, tmp_path / "w", taken, made_up) == {("s2", world_id(made_up.world))}
    assert [each.name for each in (tmp_path / "w").iterdir()] == [f"{world_id(made_up.world)}.json"]


def test_equal_worlds_of_two_texts_do_not_overwrite_each_other(monkeypatch, tmp_path):
    one, other = replayable("s1", a={}), replayable("s2", a={})
    assert written(monkeypatch, tmp_path / "w", one, other) == {("s1", world_id(one.world))}
    stored = Replayable.model_validate_json((tmp_path / "w" / f"{world_id(one.world)}.json").read_bytes())
    assert stored.segment_id == "s1"
