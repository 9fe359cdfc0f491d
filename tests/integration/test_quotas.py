"""Texts over a quota wait after the filter: no call is made for them, they do not fail, and they can pass later."""

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.follow import done_of
from gem_tasks.cli.main import app
from gem_tasks.console.chains import chains
from gem_tasks.console.overview import overview
from gem_tasks.console.partition import partition
from gem_tasks.console.span import Filters
from gem_tasks.lineage import RunContext
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.pipeline.judging.gating import gate
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.rebuild.stale import stale
from gem_tasks.pipeline.shard.records import inputs
from gem_tasks.pipeline.workspace import Workspace
from tests.corpus import PARTITION
from tests.planning import plan

LATER = "2026-01-31T15:00"


@pytest.fixture
def filtered(finished, workspace):
    """Makes workspaces over the examples after their filter; `only_first` texts are extracted too."""
    work, *_ = finished
    with work.ledger() as ledger:
        ledger.pg.execute("DELETE FROM stage_results WHERE stage <> 'filter'")

    def make(quotas, *run):
        return Workspace.open(workspace(quotas=quotas).settings, options=RunOptions(quotas=run))

    return make


def accepted(work):
    with work.ledger() as ledger:
        query = "SELECT segment_id FROM stage_results WHERE stage = 'filter' AND outcome = 'accepted'"
        return {row["segment_id"] for row in ledger.pg.execute(query).fetchall()}


def to_extract(work):
    with work.ledger() as ledger:
        numbers = [number for number, _ in ledger.ingestion.shards(PARTITION)]
    return set().union(*(inputs(work, "extract", PARTITION, number) for number in numbers))


def held(work):
    with work.ledger() as ledger:
        return {each.quota: each.texts for each in ledger.quotas.held(work.chain.id_of("filter"))}


def test_held_texts_are_no_open_work_until_they_are_released(filtered):
    work, total = filtered("platform:operator=2,platform:*=0"), len(accepted(filtered("")))
    assert gate(work, "filter", PARTITION, RunContext()).action == "continue"
    assert len(to_extract(work)) == 2
    assert sum(held(work).values()) == total - 2 > 0
    assert held(work)["platform:operator=2"] > 0
    assert done_of(work, PARTITION)["extract"] == (0, 2), "the bar of `gem run` can become full"
    with work.ledger() as ledger:
        assert ledger.rebuild.unfinished(PARTITION, work.links()) == {"extract": 2}, "only two wait for extraction"
        numbers = ledger.ingestion.shards(PARTITION)
        extract = work.chain.link("extract")
        states = [ledger.rebuild.shard_state(extract, PARTITION, number) for number, _ in numbers]
        summary = ledger.reports.summary(PARTITION, list(work.chain.by_stage.values()), None)
    assert sum(state.expected for state in states) == 2
    assert summary.held == held(work)
    with work.ledger() as ledger:
        db = ConsoleRows(ledger.pg)
        chain = next(one for one in chains(db.prompts.recipes(), {work.chain.id_of("revalidate")}) if one.current)
        shown = partition(db, PARTITION, chain)
        funnel = {step.name: step for step in overview(db, Filters(range="all"), chain).funnel}
    assert next(stage for stage in shown.state.stages if stage.stage == "extract").expected == 2
    assert (sum(shard.expected[1] for shard in shown.shards), shown.held) == (2, total - 2)
    assert funnel["extract"].held == total - 2
    assert stale(work).stages[0].why == {"never done": 2}
    with work.ledger() as ledger:
        ledger.pg.execute(
            "UPDATE quota_texts SET held_by = 'domain:news=1' WHERE segment_id = ANY(%s)", [list(to_extract(work))]
        )
    silent = filtered("")
    assert plan(silent, PARTITION) == [] and len(to_extract(silent)) == 0, "no word about quotas changes nothing"
    assert len(plan(filtered("", "none"), PARTITION)) > 0
    assert to_extract(silent) == accepted(silent)


def test_a_decision_is_the_same_again_and_makes_room_when_the_quota_grows(filtered):
    work = filtered("platform:operator=2")
    plan(work, PARTITION)
    first = to_extract(work)
    plan(work, PARTITION)
    assert to_extract(work) == first
    more = filtered("platform:operator=2", "platform:operator=3")
    plan(more, PARTITION)
    assert to_extract(more) > first, "what passed before stays"


def test_what_the_command_releases_it_says_with_the_command_that_runs_it(filtered, monkeypatch):
    work = filtered("platform:operator=2,platform:*=0")
    plan(work, PARTITION)
    waiting = sum(held(work).values())
    monkeypatch.setattr("gem_tasks.cli.quotas.load", lambda: work.settings)
    said = CliRunner().invoke(app, ["quotas", "--apply", "--quota", "none"]).output
    assert f"{waiting} released. Run them: gem backfill --from {PARTITION} --to {PARTITION} --quota none\n" in said
    assert "No text is released." in CliRunner().invoke(app, ["quotas", "--apply"]).output


def test_what_other_partitions_let_through_or_extracted_before_there_were_quotas_counts(filtered):
    work = filtered("")
    with work.ledger() as ledger:
        others = sorted(accepted(work))[:2]
        shard = ledger.pg.execute("SELECT partition_key FROM partitions").fetchone()
        assert shard == {"partition_key": PARTITION}
        recipe = work.chain.id_of("extract")
        ledger.pg.execute(
            """
            INSERT INTO stage_results (segment_id, recipe_id, stage, outcome, reason, partition_key, shard, object_key,
                                       attempts, calls, prompt_tokens, cached_tokens, completion_tokens,
                                       latency_ms)
            SELECT segment_id, %s, 'extract', 'rejected', 'x', partition_key, shard, 'x', 1, 0, 0, 0, 0, 0
            FROM stage_results WHERE segment_id = ANY(%s)
            """,
            [recipe, others],
        )
    limited = filtered("platform:operator=3")
    plan(limited, PARTITION)
    assert to_extract(limited) >= set(others), "what is paid for is never held"
    with work.ledger() as ledger:
        shares = {(each.kind, each.name): each for each in ledger.quotas.shares(work.chain.id_of("filter"))}
    assert shares["platform", "operator"].passed == 3
