"""Tasks of the user's own texts: found in the store, played, recorded; and none that a model was trained on."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.distill.experiment import options_of, plan
from gem_tasks.distill.sets import build, candidates, place
from gem_tasks.distill.worlds import held_out_cases
from gem_tasks.domain.distill import Model, SetSpec
from gem_tasks.environments.stored import for_training, worlds_of
from gem_tasks.errors import UserError
from gem_tasks.evals.worlds.cases import Case, task_of
from gem_tasks.evals.worlds.contamination import untrained
from gem_tasks.evals.worlds.stored import stored
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.worlds.built import Built, world_id
from gem_tasks.worlds.task import Tasks
from tests import planning, worlds_line
from tests.corpus import PARTITION
from tests.factories import TEXT
from tests.integration.endpoint import Front
from tests.integration.ledger_rows import document
from tests.unit.evals.worlds.office import CANCELS, CANNOT, SHELF
from tests.unit.worlds.goals.shop import WORLD


@pytest.fixture
def work(workspace, teacher_url, tmp_path, monkeypatch):
    """A text with two workflows, each with a world of orders and two tasks."""
    worlds_line.install(monkeypatch)
    monkeypatch.setattr(worlds_line, "built", lambda number: Built(world=WORLD, trials={"loads": number}))
    monkeypatch.setattr(worlds_line, "tasks", lambda count: Tasks(tasks=(CANCELS, CANNOT)))
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "loans.txt").write_text(f"{TEXT}\n" * 4, encoding="utf-8")
    with Front(teacher_url, worlds_line.Answers()) as front:
        made = workspace(llm_base_url=front.url, worlds="on", max_workflows=2)
        ingest(made, str(folder), PARTITION)
        line = made.in_worlds()
        for name in ("filter", "extract", "world", "task"):
            for shard in planning.plan(line, PARTITION):
                run_shard(line, name, PARTITION, shard["shard"], RunContext(run_id="r"))
        yield made


def test_the_tasks_of_a_partition_are_played_and_the_score_is_recorded(work, monkeypatch, tmp_path):
    monkeypatch.setenv("GEM_POSTGRES_DSN", work.settings.database)
    monkeypatch.setenv("GEM_STORE_URL", work.settings.store_root)
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    monkeypatch.setenv("GEM_MAX_WORKFLOWS", "2")
    monkeypatch.setenv("GEM_LLM_BASE_URL", work.settings.llm_base_url)
    words = ["eval", "worlds", PARTITION, "--model", "oracle", "-k", "1", "--tasks", "1", "--json"]
    found = CliRunner().invoke(app, words, catch_exceptions=False)
    told = json.loads(found.stdout)
    assert told["scores"][0]["value"] == 1
    with work.ledger() as ledger:
        (row,) = ledger.evaluations.find(harness="worlds")
        assert ledger.evaluations.report(row).settings.extra["tasks"] == 1
        segments = sorted(ledger.stages.segment_ids(PARTITION, 0))
        places = ledger.evaluations.segment_places(segments)
    assert (row.evaluation_id, row.model, row.tries) == (told["evaluation_id"], "oracle", 4)
    shelves = stored(work, places)
    assert [each.segment_id for each in shelves] == [segments[0]] * 2
    assert all(tool.description for tool in shelves[0].tools), "the workflow's, which the assistant sees"
    found = worlds_of(work)
    assert [(each.replayable.tasks, each.segment_id) for each in found] == [
        (each.tasks, each.segment_id) for each in shelves
    ]
    told = CliRunner().invoke(app, ["world", "list", "--json"], catch_exceptions=False).stdout
    assert json.loads(told) == [{"world": world_id(WORLD), "tools": len(WORLD.tools), "tasks": 2, "text": segments[0]}]
    (kept,) = for_training(work).worlds
    assert kept.scenarios.keys() == {f"{n}/{each.name}" for n, task in enumerate(kept.tasks) for each in task.variants}


def test_documents_in_another_version_or_as_a_copy_were_trained_on_too(finished):
    work, _, _ = finished
    found = build(work, SetSpec(kind="agent", test_share=0.3))
    spec = SetSpec(kind="agent", test_share=0.3)
    splits = {each.segment_id: (each, split) for each, split in place(candidates(work, spec), spec)}
    trained, tested = (
        next(each for each, split in splits.values() if (split == "test") == wanted) for wanted in (False, True)
    )
    again = [
        document("later", uri=trained.document_uri),
        document("copy", metadata={"copy_of": trained.group}),
        document("tested", uri=tested.document_uri),
    ]
    with work.ledger() as ledger:
        source = ledger.sources.register_source("file:///more")
        ledger.ingestion.commit_ingest(PARTITION, source, again, {})
        owner = Model(
            model_id="m", name="m", base="b", profile="p", profile_sha256="0", set_id=found.set_id, location=""
        )
        asked = [trained.segment_id, "doclater.0-9", "doccopy.0-9", tested.segment_id, "doctested.0-9", "elsewhere.0-9"]
        cases = [
            Case(shelf=SHELF.model_copy(update={"segment_id": each, "tasks": (CANNOT,) * 6}), number=at, position=0)
            for at, each in enumerate(asked)
        ]
        left, why = untrained(ledger, owner, cases)
        assert [case.shelf.segment_id for case in left] == asked[3:]
        assert list(why) == [case.case_id for case in cases[:3]]
        with pytest.raises(UserError, match="trained on the documents of all cases"):
            untrained(ledger, owner, cases[:3])
        held = ledger.evaluations.held_out_documents()
        assert [each.rpartition(".")[0] in held for each in asked] == [False, False, False, True, True, False]


def halved(**options):
    """An experiment that holds out half of the documents: of few, a tenth may be none."""
    planned = plan(options_of({"profile": "smoke", "kind": "agent", **options}))
    chosen = planned.chosen.model_copy(update={"set": {**planned.chosen.set, "test_share": 0.5}})
    return planned.model_copy(update={"chosen": chosen})


def test_an_experiment_plays_held_out_tasks_only_and_none_without_worlds(finished, monkeypatch):
    work, _, _ = finished
    planned = halved(subset="full")
    assert "worlds" in planned.harnesses
    assert held_out_cases(work, planned) == []
    asked = []

    def shelved(_, places):
        asked.extend(row.segment_id for row in places)
        return [SHELF.model_copy(update={"segment_id": row.segment_id}) for row in places]

    monkeypatch.setattr("gem_tasks.distill.worlds.stored", shelved)
    held_out_cases(work, planned)
    splits = {}
    for arm in planned.experiment.arms:
        spec = planned.spec(arm)
        splits |= {each.segment_id: split for each, split in place(candidates(work, spec), spec)}
    assert sorted(asked) == sorted(key for key, split in splits.items() if split == "test") != []
    few = halved(tasks=1)
    assert len({task_of(case.case_id) for case in held_out_cases(work, few)}) == 1
