"""Conversations in worlds of the offline teacher: published with their worlds, replayed, trained on."""

import json

import pytest

from gem_tasks.dataset import worlds
from gem_tasks.dataset.export import export_openai, published
from gem_tasks.dataset.publish import publish, republish
from gem_tasks.distill.sets import build
from gem_tasks.domain.distill import SetSpec
from gem_tasks.edits.make import By, undo, veto
from gem_tasks.in_process import synthesize_partition
from gem_tasks.lint.replay import replay_files
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.rebuild.plan import unpublished, worlds_waiting
from gem_tasks.pipeline.rebuild.stale import stale
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan

ON = {"worlds": "on", "world_tasks": 2, "world_attempts": 2, "gates": None}


@pytest.fixture
def work(workspace):
    made = workspace(**ON)
    ingest(made, str(EXAMPLES / "hotel-front-desk.md"), PARTITION)
    return made


def test_executed_conversations_are_published_beside_the_others_with_their_worlds(work, workspace, tmp_path):
    assert synthesize_partition(work, PARTITION, pass_reviews=True)
    rows = list(published(work, PARTITION))
    by_kind = {kind: [row["metadata"] for row in rows if row["metadata"]["verified"] == kind]
               for kind in ("executed", "checked")}  # fmt: skip
    assert by_kind["executed"]
    assert len(by_kind["checked"]) == 1
    assert "world" not in by_kind["checked"][0]
    for each in by_kind["executed"]:
        assert each["reached"] is True
        assert each["task"] == each["rollout"] % 16
        assert (each["seed"], bool(each["steps"])) == (by_kind["executed"][0]["seed"], True) or each["task"]
        assert set(each["teacher"]) == {"filter", "extract", "world", "task", "simulate", "verify"}

    # The worlds travel, and every row replays.
    path, count = export_openai(work, tmp_path / "out")
    assert worlds.export(work, tmp_path / "out") == 1
    assert count == len(rows)
    assert {each.status for each in replay_files([str(path)])} <= {"equal", "not_executed"}

    # Nothing is left, and publishing again is the same version.
    version = publish(work, PARTITION).version
    assert (plan(work, PARTITION), worlds_waiting(work, PARTITION), unpublished(work, PARTITION)) == ([], False, False)
    found = stale(work)
    assert (found.stages, found.publish_only) == ([], [])
    assert republish(work, PARTITION).version == version
    manifest = json.loads(work.fetch(f"datasets/{version}/manifest.json"))
    assert manifest["worlds"]["executed"] == len(by_kind["executed"])
    assert set(manifest["files"][1:]) == {f"worlds/{each['world']}.json" for each in by_kind["executed"]}

    # They are trained on, and stay in the version when worlds are off or not finished under other settings.
    learnt = build(work, SetSpec(kind="agent", test_share=0, validation_share=0))
    assert (learnt.counts["train"], learnt.left_out) == (len(rows), {})
    assert publish(workspace(), PARTITION).version == version
    vetoed = by_kind["executed"][0]["trajectory_id"]
    made = veto(work, vetoed, "invented", By("Anna", "terminal"))
    assert vetoed not in {row["metadata"]["trajectory_id"] for row in published(work, PARTITION)}
    undo(work, made.change_id, By("Anna", "terminal"))
    more = workspace(**ON | {"world_tasks": 3, "world_attempts": 3})
    assert worlds_waiting(more, PARTITION)
    assert publish(more, PARTITION).version == version
