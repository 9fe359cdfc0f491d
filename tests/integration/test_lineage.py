"""The lineage in a real Postgres: idempotent writes, exact counts, honest answers."""

import math

import psycopg
import pytest

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.gate import Bound, Metrics, Policy
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.domain.take import FIRST, Take, takes
from gem_tasks.errors import ErrorClass, UserError
from gem_tasks.gates import decide
from gem_tasks.lineage import Ledger, RunContext, TrajectoryRow
from gem_tasks.lineage.migrate import migrate
from tests.corpus import PARTITION
from tests.integration.ledger_rows import CHAIN, EXTRACT, FILTER, document, segment

COST = Cost(calls=2, usage=Usage(prompt_tokens=10, completion_tokens=3), latency_s=0.5)
TABLES = set(
    "sources documents segments partitions prompts recipes stage_results gate_decisions trajectories datasets".split()
)


def accept(ledger, number, recipe, **changes):
    outcome = Outcome(**{"segment_id": segment(number).segment_id, "kind": "accepted", "cost": COST, **changes})
    ledger.stages.commit_outcomes(recipe, PARTITION, number - 1, [outcome], "key", RunContext(run_id="r1", task_id="t"))


def test_migrating_makes_the_tables_of_the_contract_and_can_be_undone(postgres):
    postgres.create_database("migrations")
    dsn = postgres.dsn("migrations")
    migrate(dsn)
    migrate(dsn)
    with psycopg.connect(dsn) as connection:
        found = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert found >= TABLES
    migrate(dsn, "base", down=True)
    with psycopg.connect(dsn) as connection:
        left = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert not left & TABLES


def test_ingesting_twice_records_once(ledger):
    source = ledger.sources.register_source("file:///corpus")
    ledger.ingestion.commit_ingest(PARTITION, source, [document(1)], {5: [segment(1)]})
    assert ledger.ingestion.shards(PARTITION) == [(0, 1), (1, 1)]
    assert [ledger.ingestion.reserve_shards(PARTITION, 3), ledger.ingestion.reserve_shards(PARTITION, 1)] == [2, 5]
    assert ledger.ingestion.known_documents(["doc1", "doc9"]) == {"doc1": False}
    assert ledger.ingestion.first_with_hash([document(2).content_hash]) == {document(2).content_hash: "doc2"}
    assert ledger.sources.enabled() == ["file:///corpus"]


def test_pending_follows_the_chain(ledger):
    chain = [CHAIN.link("filter"), CHAIN.link("extract")]
    assert ledger.rebuild.pending(PARTITION, chain) == [0, 1]
    accept(ledger, 1, FILTER)
    accept(ledger, 2, FILTER, kind="rejected", reason="not_procedural")
    assert ledger.rebuild.pending(PARTITION, chain) == [0]
    accept(ledger, 1, EXTRACT, kind="failed", error_class=ErrorClass.TIMEOUT)
    assert ledger.rebuild.pending(PARTITION, chain) == [0]
    accept(ledger, 1, EXTRACT, kind="failed", error_class=ErrorClass.MALFORMED)
    assert ledger.rebuild.pending(PARTITION, chain) == []


def test_a_take_waits_only_for_texts_with_its_workflow_and_for_those_that_were_not_counted(ledger):
    second = CHAIN.with_take(Take(workflow=1))
    ledger.stages.record_recipes(second.prompt_texts(), second.recipes)
    links, mine = [CHAIN.link("generate"), second.link("generate")], [second.id_of("generate")]
    for number in (1, 2):
        accept(ledger, number, FILTER)
    accept(ledger, 1, EXTRACT, measures={"workflows": 2})
    accept(ledger, 2, EXTRACT, measures={"workflows": 1})
    assert ledger.rebuild.pending(PARTITION, links, mine) == [0]
    assert ledger.rebuild.unfinished(PARTITION, links) == {"generate": 3}
    assert [ledger.rebuild.shard_state(second.link("generate"), PARTITION, shard).expected for shard in (0, 1)] == [
        1,
        0,
    ]
    assert [ledger.rebuild.shard_state(CHAIN.link("generate"), PARTITION, shard).expected for shard in (0, 1)] == [1, 1]
    accept(ledger, 1, second.by_stage["generate"])
    assert ledger.rebuild.pending(PARTITION, links, mine) == []
    assert ledger.rebuild.pending(PARTITION, links) == [0, 1], "the first conversations"
    ledger.pg.execute("UPDATE stage_results SET measures = NULL WHERE stage = 'extract'")
    assert ledger.rebuild.pending(PARTITION, links, mine) == [1]
    assert ledger.stages.uncounted(PARTITION, 1, EXTRACT.recipe_id) == {segment(2).segment_id}
    ledger.stages.count_workflows(PARTITION, EXTRACT.recipe_id, {segment(2).segment_id: 1})
    assert ledger.rebuild.pending(PARTITION, links, mine) == []
    assert ledger.stages.take_of(second.id_of("revalidate")) == Take(workflow=1)
    assert ledger.stages.take_of(EXTRACT.recipe_id) == FIRST


def test_a_segment_has_one_outcome_per_recipe_and_costs_add_up(ledger):
    accept(ledger, 1, FILTER, kind="failed", error_class=ErrorClass.TIMEOUT)
    accept(ledger, 1, FILTER)
    assert ledger.stages.outcomes(PARTITION, 0, FILTER.recipe_id) == {segment(1).segment_id: ("accepted", None)}
    (stage,) = [found for found in ledger.reports.summary(PARTITION, [FILTER], None).stages]
    assert (stage.accepted, stage.failed, stage.calls, stage.prompt_tokens) == (1, 0, 4, 20)
    assert ledger.reports.summary(PARTITION, [FILTER], "another run").stages[0].calls == 0


def test_an_outcome_without_its_reason_is_refused_by_the_database(ledger):
    with pytest.raises(psycopg.errors.CheckViolation):
        accept(ledger, 1, FILTER, kind="rejected")


def test_decisions_are_kept_with_their_numbers(ledger):
    assert ledger.gates.last_decision(PARTITION, FILTER) is None
    bounds = {"filter": {"failed_share": (Bound(max=0.2, sample=1),)}}
    decision = decide(
        Metrics(stage="filter", accepted=1, failed=3, numbers={"failed_share": 0.75}), Policy(sha256="p", bounds=bounds)
    )
    ledger.gates.record_decision(PARTITION, FILTER, decision, RunContext())
    assert ledger.gates.last_decision(PARTITION, FILTER) == decision
    by_ada = decision.model_copy(update={"action": "continue", "person": "ada", "reason": "a [new] source"})
    ledger.gates.record_decision(PARTITION, FILTER, by_ada, RunContext())
    assert ledger.gates.last_decision(PARTITION, FILTER) == by_ada
    assert [row.person for row in ledger.gates.decisions(5)] == ["ada", None]


def test_gates_see_every_number(ledger):
    measures = [
        {"messages": 40, "tools": 8, "calls": 10, "called": ["a", "b"]},
        {"messages": 50, "tools": 10, "calls": 20, "called": ["a"]},
    ]
    source = ledger.sources.register_source("file:///corpus")
    ledger.ingestion.commit_ingest(PARTITION, source, [document(n) for n in (3, 4)], {2: [segment(3)], 3: [segment(4)]})
    for number, measured in enumerate(measures, start=1):
        accept(ledger, number, FILTER, measures=measured, cost=Cost(calls=1, usd=0.5))
    accept(ledger, 3, FILTER, kind="rejected", reason="near_duplicate")
    accept(ledger, 4, FILTER, kind="failed", error_class=ErrorClass.MALFORMED)
    found = ledger.gates.all_metrics(PARTITION, FILTER)
    assert (found.accepted, found.rejected, found.failed) == (2, 1, 1)
    entropy = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)) / math.log(2)
    assert found.numbers == pytest.approx(
        {
            "accepted_share": 0.5,
            "failed_share": 0.25,
            "failed_share.malformed": 0.25,
            "mean_messages": 45,
            "mean_tools": 9,
            "mean_calls": 15,
            "duplicate_share": 0.25,
            "top_tool_share": 1,
            "tool_entropy": entropy,
            "usd_per_accepted": 0.5,
        }
    )
    (row,) = ledger.pg.execute("SELECT * FROM gate_metrics WHERE recipe_id = %s", [FILTER.recipe_id]).fetchall()
    assert {name: row[name] for name in found.numbers if name in row} == pytest.approx(
        {name: number for name, number in found.numbers.items() if name in row}
    ), "the view means the same"


def test_a_gate_sees_the_conversations_of_all_takes(ledger):
    drafts = [CHAIN.with_take(take).by_stage["generate"] for take in takes(1, 2)]
    for chain in map(CHAIN.with_take, takes(1, 2)):
        ledger.stages.record_recipes(chain.prompt_texts(), chain.recipes)
    accept(ledger, 1, drafts[0], measures={"messages": 10, "called": ["a"]})
    accept(ledger, 1, drafts[1], measures={"messages": 30, "called": ["b"]})
    accept(ledger, 2, drafts[1], kind="rejected", reason="judge_r1")
    found = ledger.gates.all_metrics(PARTITION, *drafts)
    assert (found.accepted, found.rejected, found.numbers["mean_messages"], found.numbers["tool_entropy"]) == (
        2,
        1,
        20,
        1,
    )
    (stage,) = ledger.reports.summary(PARTITION, drafts, None).stages
    assert (stage.accepted, stage.rejected, stage.reasons) == (2, 1, {"judge_r1": 1})
    ids = [draft.recipe_id for draft in drafts]
    assert len(ledger.gates.examples(PARTITION, ids, ["accepted"], 5)) == 2


def test_a_gate_before_any_outcome_sees_nothing(ledger):
    assert ledger.gates.all_metrics(PARTITION, FILTER).numbers == {}


def publish(ledger, version, numbers):
    rows = [
        TrajectoryRow(
            trajectory_id=f"abcdef{number}", recipe_id=CHAIN.id_of("validate"),
            segment_id=segment(number).segment_id, messages=20, tools=5, calls=8,
            domains=("health",), platform="operator", task_category="customer_support",
        )
        for number in numbers
    ]  # fmt: skip
    ledger.datasets.commit(version, PARTITION, CHAIN.by_stage["validate"], {"version": version}, rows)


def test_a_new_version_supersedes_and_an_old_one_can_return(ledger):
    publish(ledger, "v1", [1])
    publish(ledger, "v2", [1, 2])
    assert ledger.datasets.current() == ["v2"]
    assert ledger.datasets.find_trajectories("abcdef") == [("abcdef1", "v2"), ("abcdef2", "v2")]
    publish(ledger, "v1", [1])
    publish(ledger, "v1", [1])
    assert ledger.datasets.current(PARTITION) == ["v1"]


def test_a_documents_life_is_found_by_any_of_its_names(ledger):
    accept(ledger, 1, FILTER)
    publish(ledger, "v1", [1])
    lives = [ledger.reports.lineage(name) for name in ("doc1", "file:///1", segment(1).segment_id, "abcdef1")]
    assert all(life.document_id == "doc1" for life in lives)
    (found,) = lives[0].segments
    (outcome,) = found.outcomes
    assert (outcome.model, outcome.airflow_run_id) == ("offline-rules", "r1")
    assert found.trajectories[0].trajectory_id == "abcdef1"
    assert ledger.reports.lineage("%") is None
    assert ledger.reports.lineage("'; DROP TABLE documents; --") is None


def test_an_unreachable_database_is_one_line_without_the_password():
    with pytest.raises(UserError) as error, Ledger("postgresql://gem:hush@127.0.0.1:1/gem"):
        pass
    assert "hush" not in str(error.value)
    assert "gem up" in str(error.value)


def test_two_publications_of_one_partition_wait_for_each_other(dsn):
    with Ledger(dsn) as first, Ledger(dsn) as second, first.locks.publish(PARTITION):
        taken = "SELECT pg_try_advisory_lock(hashtextextended('gem-publishing ' || %s, 0)) AS free"
        assert second.pg.execute(taken, [PARTITION]).fetchone() == {"free": False}
        assert second.pg.execute(taken, ["2026-01-31T15:00"]).fetchone() == {"free": True}
