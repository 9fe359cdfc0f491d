"""The line in worlds through Postgres and a store: its takes, what it shares, what a change recomputes."""

from collections import Counter

import pytest

from gem_tasks.console.chains import chains
from gem_tasks.console.overview import funnel
from gem_tasks.console.partition import partition
from gem_tasks.console.span import Filters
from gem_tasks.distill.preferences import dpo, reward, versions
from gem_tasks.domain.stage import WORLD_LINE
from gem_tasks.domain.take import MOST_TASKS, world_takes
from gem_tasks.lineage import RunContext
from gem_tasks.lineage.console import ConsolePool
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.judging.gating import gate, nothing_left
from gem_tasks.pipeline.rebuild.stale import stale
from gem_tasks.pipeline.run_recipes import pin, pinned, register_recipes
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.worlds import proved
from tests.corpus import PARTITION
from tests.factories import TEXT
from tests.integration.endpoint import Front
from tests.planning import plan
from tests.worlds_line import Answers, Play, install

SETTINGS = {"worlds": "on", "world_tasks": 3, "max_workflows": 2}


@pytest.fixture
def answers(monkeypatch):
    install(monkeypatch)
    return Answers()


@pytest.fixture
def front(answers, teacher_url):
    with Front(teacher_url, answers) as opened:
        yield opened


@pytest.fixture
def work(workspace, front, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "loans.txt").write_text(f"{TEXT}\n" * 4, encoding="utf-8")
    made = workspace(llm_base_url=front.url, **SETTINGS)
    ingest(made, str(folder), PARTITION)
    return made


def run(work):
    """The line over all of its shards; calls by stage."""
    shards = plan(work, PARTITION)
    calls = Counter()
    for name in work.chain.line:
        for shard in shards:
            report = run_shard(work, name, PARTITION, shard["shard"], RunContext(run_id="r"))
            assert report.failed == report.rejected == 0
            calls[name] += report.calls
        assert gate(work, name, PARTITION, RunContext()).action == "continue"
    return dict(calls)


def seen(work):
    """The funnel of the console: what each step took, and accepted."""
    pool = ConsolePool(work.settings.database)
    with pool.rows() as db:
        one_pass, found = chains(db.prompts.recipes(), {line.recipe_ids()[-1] for line in work.lines()})
        steps = {
            step.name: (step.taken, step.accepted, step.waiting) for step in funnel(db, Filters(range="all"), found)
        }
        (state,) = partition(db, PARTITION, found).shards
    pool.close()
    assert (one_pass.line, found.line, found.current) == ("", "in worlds", True)
    assert [*steps][2:] == list(WORLD_LINE) == list(found.stages)
    assert state.expected == tuple(steps[name][0] for name in WORLD_LINE)
    return steps


def test_worlds_and_tasks_belong_to_workflows_and_conversations_to_tasks(work, workspace, front, answers, monkeypatch):
    worlds = work.in_worlds()
    assert worlds.recipe_ids("filter", "extract") == work.recipe_ids("filter", "extract")
    # The first world has two tasks, the second one: three conversations, of six takes.
    assert run(worlds) == {"filter": 1, "extract": 1, "world": 2, "task": 2, "simulate": 6, "verify": 3}
    assert plan(worlds, PARTITION) == []
    register_recipes(work)
    found = seen(work)
    assert [found[name] for name in ("extract", "world", "task", "simulate", "verify")] == [
        (1, 1, 0), (2, 2, 0), (2, 2, 0), (3, 3, 0), (3, 3, 0),
    ]  # fmt: skip
    assert stale(work).partitions[0].stages[0].stage == "generate", "the first line was never done"
    assert not nothing_left(worlds, "simulate", PARTITION)
    with work.ledger() as ledger:
        assert ledger.rebuild.unfinished(PARTITION, worlds.links()) == {}

    # More attempts leave everything else as it is.
    more = workspace(llm_base_url=front.url, **SETTINGS, world_attempts=2).in_worlds()
    assert run(more) == {"filter": 0, "extract": 0, "world": 0, "task": 0, "simulate": 6, "verify": 3}

    # Another prompt for worlds recomputes worlds and what follows.
    install(monkeypatch, world="You are the world and more.")
    other = workspace(llm_base_url=front.url, **SETTINGS)
    waiting = {each.stage: each.why for each in stale(other).stages if each.stage in ("world", "task", "simulate")}
    assert waiting["world"] == {"prompt": 2}
    assert waiting["task"] == {"upstream": 2}
    assert waiting["simulate"]["upstream"] >= 2
    assert run(other.in_worlds()) == {"filter": 0, "extract": 0, "world": 2, "task": 2, "simulate": 6, "verify": 3}


def test_what_is_wrong_with_a_world_goes_back_to_its_model_once(work, answers, monkeypatch):
    tried = []

    def proof(output, record, mode):
        tried.append(output)
        return "get_loan throws" if len(tried) == 1 else output.model_copy(update={"trials": {"loads": 1}})

    monkeypatch.setattr(proved, "PROOFS", {"world": proof})
    worlds = work.in_worlds()
    for name in ("filter", "extract", "world"):
        for shard in plan(worlds, PARTITION):
            report = run_shard(worlds, name, PARTITION, shard["shard"], RunContext())
    assert (report.accepted, report.calls, len(tried)) == (2, 3, 3)


def test_an_attempt_that_misses_the_goal_is_a_preference_beside_one_that_reaches_it(
    work, workspace, front, answers, monkeypatch
):
    monkeypatch.setattr(Play, "missing", {1})
    more = workspace(llm_base_url=front.url, **SETTINGS, world_attempts=2)
    worlds = more.in_worlds()
    for name in worlds.chain.line:
        for shard in plan(worlds, PARTITION):
            run_shard(worlds, name, PARTITION, shard["shard"], RunContext())
    found = list(versions(more, PARTITION))
    assert [each.kind for each in found] == ["attempt"] * 3
    assert (reward(found[0]), dpo(found[0])) == ("equal", "equal"), "the stand-in says the same in both"
    assert list(versions(work, PARTITION)) == []


def test_a_run_keeps_its_line_and_its_number_of_conversations(workspace, monkeypatch):
    install(monkeypatch)
    pin(workspace(**SETTINGS, world_attempts=2, llm_model="mine").in_worlds(), "gem_worlds/r1")
    kept = pinned(workspace(**SETTINGS | {"world_tasks": 1}).in_worlds(), "gem_worlds/r1")
    assert [each.chain.take for each in kept.each_take()] == list(world_takes(2, 3, 2))
    assert kept.chain.asking_user.model == "mine"
    last = kept.chain_of_last().take
    assert (last.task, last.attempt, last.rollout) == (2, 1, MOST_TASKS + 2)
