"""Several conversations of one text through Postgres and a store: counted, published, resumed, each on its own."""

import json
from collections import Counter

import pytest

from gem_tasks import plans
from gem_tasks.console.chains import chains
from gem_tasks.console.overview import funnel
from gem_tasks.console.span import Filters
from gem_tasks.console.trajectory import by_id
from gem_tasks.dataset.export import published
from gem_tasks.dataset.publish import publish, republish
from gem_tasks.distill.preferences import dpo, reward, versions
from gem_tasks.distill.sets import build, candidates, place
from gem_tasks.domain.distill import SetSpec
from gem_tasks.domain.take import Take, takes
from gem_tasks.edits.make import By, undo, veto
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.lineage.console import ConsolePool
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.rebuild.stale import stale
from gem_tasks.pipeline.run_recipes import pin, pinned
from gem_tasks.pipeline.shard import run as running
from gem_tasks.pipeline.shard.records import output_of
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan, synthesise

TEXTS = ("hotel-front-desk.md", "library-loans.txt")
"""Each has two workflows."""


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in TEXTS:
        (folder / name).write_bytes((EXAMPLES / name).read_bytes())
    return folder


def test_every_workflow_and_rollout_of_a_text_is_a_trajectory_of_its_own(workspace, source, monkeypatch):
    one = workspace()
    ingest(one, str(source), PARTITION)
    assert synthesise(one) > 0
    first = publish(one, PARTITION)
    assert first.trajectories == 2
    work = workspace(max_workflows=3, rollouts=2)
    waiting = {stage.stage: stage.why for stage in stale(work).stages}
    assert waiting == {"generate": {"never done": 6}, "refine": {}, "validate": {}}

    # One take fails alone, and a second run makes only what is left.
    fails, real = work.each_take()[1].chain.id_of("refine"), running.run_job

    def run_job(job):
        if job.place.recipe_id == fails and not tried:
            tried.append(job.place)
            raise EndpointError(ErrorClass.TIMEOUT, "too slow")
        return real(job)

    tried = []
    monkeypatch.setattr(running, "run_job", run_job)
    with pytest.raises(EndpointError, match="too slow"):
        synthesise(work)
    assert publish(work, PARTITION).held_back == (
        "the partition is incomplete under the current recipes; remaining work: refine of 2 conversations,"
        " validate of 4 conversations"
    )
    assert synthesise(work) == 2 + 6
    version = publish(work, PARTITION)
    assert (version.trajectories, plan(work, PARTITION), stale(work).stages) == (8, [], [])
    rows = list(published(work, PARTITION))
    found = [row["metadata"] for row in rows]
    pairs = Counter((each["workflow"], each["rollout"]) for each in found)
    assert pairs == Counter(dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)], 2))
    for each in found:
        chain = work.chain.with_take(Take(workflow=each["workflow"], rollout=each["rollout"]))
        assert each["plan"] == chain.plan(each["segment_id"]).facts
    by_text = Counter(each["segment_id"] for each in found)
    assert set(by_text.values()) == {4}
    assert len({json.dumps(each["plan"]) for each in found}) == 8

    # A document's conversations are in one split, and each is read from the recipes of its take.
    spec = SetSpec(kind="agent", test_share=0.5)
    placed = place(candidates(work, spec), spec)
    assert len(placed) == len({each.trajectory_id for each, _ in placed}) == 8
    assert len({(each.group, split) for each, split in placed}) == len(TEXTS)
    assert len({each.recipes["generate"] for each, _ in placed}) == 4
    learnt = build(work, SetSpec(kind="agent", test_share=0, validation_share=0))
    assert (learnt.counts["train"], learnt.left_out) == (8, {})

    # A setting that no text can use changes nothing but what the version is recorded under.
    more = workspace(max_workflows=4, rollouts=2)
    assert (plan(more, PARTITION), stale(more).publish_only) == ([], [PARTITION])
    assert publish(more, PARTITION).version == version.version
    assert stale(more).publish_only == []
    publish(work, PARTITION)

    # Fewer takes are another version, which has those only; republishing keeps what the version was made of.
    assert republish(workspace(), PARTITION).version == version.version
    assert stale(one).publish_only == [PARTITION]
    assert publish(one, PARTITION).version == first.version

    # What people say about one is not shown with the others, neither before nor after the next version.
    mine, other = [each["trajectory_id"] for each in found if each["segment_id"] == found[0]["segment_id"]][:2]
    made = veto(work, mine, "invented", By("Anna", "terminal"))
    with work.ledger() as ledger:
        assert [each.change_id for each in ledger.changes.listed(mine)] == [made.change_id]
        assert ledger.changes.listed(other) == []
        republish(work, PARTITION)
        assert ledger.changes.listed(other) == []
    undo(work, made.change_id, By("Anna", "terminal"))

    # The pages.
    pool = ConsolePool(work.settings.database)
    with pool.rows() as db:
        (chain,) = chains(db.prompts.recipes(), {work.recipe_ids()[-1]})
        steps = {step.name: step for step in funnel(db, Filters(range="all"), chain)}
        view = by_id(db, work, next(each["trajectory_id"] for each in found if each["workflow"] and each["rollout"]))
        life = db.reports.lineage(view.segment_id)
    pool.close()
    assert (chain.current, len(chain.others)) == (True, 7), "one chain, of all takes that there were"
    assert (steps["extract"].accepted, steps["generate"].taken, steps["generate"].texts) == (2, 8, 2)
    assert steps["validate"].accepted == 8
    assert view.take == "workflow 2, rollout 2"
    assert [each.take for each in view.others] == [
        "workflow 1, rollout 1", "workflow 1, rollout 2", "workflow 2, rollout 1"
    ]  # fmt: skip
    drawn = {each["trajectory_id"] for each in found if each["segment_id"] == view.segment_id}
    assert {each.trajectory_id for each in view.others} | {view.trajectory_id} == drawn
    (segment,) = life.segments
    assert [(each.workflow, each.rollout) for each in segment.trajectories] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    extracted = output_of(work, "extract", PARTITION, segment.shard)[view.segment_id]
    assert view.steps == extracted.workflows[1].steps != extracted.workflows[0].steps


def test_a_run_keeps_its_number_of_conversations(workspace):
    pin(workspace(max_workflows=2, rollouts=3), "gem_synthesize/r1")
    kept = pinned(workspace(), "gem_synthesize/r1")
    assert [each.chain.take for each in kept.each_take()] == list(takes(2, 3))
    assert kept.recipe_ids() == workspace(max_workflows=2, rollouts=3).recipe_ids()
    pin(workspace(), "gem_synthesize/r2")
    assert len(pinned(workspace(max_workflows=4), "gem_synthesize/r2").each_take()) == 1


def test_rollouts_with_different_verdicts_are_preferences_with_reasons(workspace, teacher_url, monkeypatch):
    # A segment's id contains its path, its plan is drawn by the id, and the fault by the prompt with the plan.
    monkeypatch.setattr(plans, "draw", lambda menus, _, *rest, draw=plans.draw: draw(menus, "anywhere", *rest))
    faulty = f"{teacher_url}?rate_suffixed=0.5&seed=1"
    work = workspace(llm_base_url=faulty, rollouts=3, revise="off")
    ingest(work, str(EXAMPLES / TEXTS[1]), PARTITION)
    synthesise(work)
    found = [each for each in versions(work, PARTITION) if each.kind == "rollout"]
    kept = publish(work, PARTITION).trajectories
    assert 0 < kept < 3
    assert len(found) == 3 - kept
    for each in found:
        assert each.reason
        assert "-ZQ9" in each.worse.model_dump_json()
        assert "-ZQ9" not in each.better.model_dump_json()
        assert reward(each) == "another_tool" or reward(each)["kind"] == "rollout"
        assert dpo(each) == "another_context" or dpo(each)["kind"] == "rollout"
    assert not [
        each for each in versions(workspace(llm_base_url=faulty, revise="off"), PARTITION) if each.kind == "rollout"
    ]
