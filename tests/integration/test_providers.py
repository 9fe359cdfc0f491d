"""Conformance: all stages against every provider's manners, with default settings."""

import json
import shutil

import pytest

from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.llm.memory import forget, remembered
from gem_tasks.pipeline.ingest import ingest
from gem_tasks.pipeline.plan import plan
from gem_tasks.pipeline.shard import run_shard
from gem_tasks.settings import STAGE_NAMES
from tests.doubles.providers import REFUSING, WORKING, Provider, moderation
from tests.integration.test_pipeline import EXAMPLES, PARTITION

NAMES = ("library-loans.txt", "parcel-locker.md")
MOST_WASTED = 3


@pytest.fixture
def run(workspace, teacher_url, tmp_path):
    """Runs the stages over two documents behind a manner; gives the provider and the reports."""
    (tmp_path / "docs").mkdir()
    for name in NAMES:
        shutil.copy(EXAMPLES / name, tmp_path / "docs")

    def go(manner, **settings):
        with Provider(teacher_url, manner) as provider:
            work = workspace(llm_base_url=provider.url, shard_segments=100, **settings)
            provider.work = work
            ingest(work, str(tmp_path / "docs"), PARTITION)
            (shard,) = plan(work, PARTITION)
            reports = []
            try:
                for stage in STAGE_NAMES:
                    before = provider.refused
                    report = run_shard(work, stage, PARTITION, shard["shard"], RunContext(run_id="r"))
                    reports.append((report, provider.refused - before))
            except UserError as error:
                provider.error = error
            return provider, reports

    return go


def wasted_by_learning(work):
    """Requests by stage that were refused as such, or whose thinking ate the limit."""
    with work.ledger() as ledger:
        query = "SELECT stage, error_class, sum(calls)::int AS calls FROM wasted_calls GROUP BY 1, 2"
        rows = ledger.pg.execute(query).fetchall()
    found = dict.fromkeys(STAGE_NAMES, 0)
    for row in rows:
        found[row["stage"]] += row["calls"] if row["error_class"] in {"bad_request", "truncated"} else 0
    return found


@pytest.mark.parametrize("name", WORKING)
def test_every_manner_ends_in_trajectories_and_learning_costs_at_most_three_calls_a_stage(run, name):
    provider, reports = run(WORKING[name])
    accepted = [report.accepted for report, _ in reports]
    assert len(accepted) == len(STAGE_NAMES), getattr(provider, "error", "")
    assert accepted[0] == 2
    assert accepted[STAGE_NAMES.index("validate")] >= 1
    assert [report.failed for report, _ in reports] == [0] * len(STAGE_NAMES)
    wasted = wasted_by_learning(provider.work)
    assert max(wasted.values()) <= MOST_WASTED, wasted
    print(f"\nWASTED {name}: {wasted}; {remembered(provider.work.store)[0].dialect.summary}")


@pytest.mark.parametrize("name", REFUSING)
def test_a_provider_that_wants_money_is_asked_once_and_nothing_is_failed(run, name):
    provider, reports = run(REFUSING[name])
    assert reports == []
    assert "no_credit" in provider.error.cause
    assert len(provider.asked) == 1
    with provider.work.ledger() as ledger:
        assert ledger.pg.execute("SELECT count(*) AS n FROM stage_results").fetchone()["n"] == 0


def test_moderation_of_one_document_is_that_documents_failure(run):
    provider, reports = run(moderation)
    assert (reports[0][0].accepted, reports[0][0].failed) == (1, 1)
    assert reports[STAGE_NAMES.index("validate")][0].accepted == 1
    with provider.work.ledger() as ledger:
        (row,) = ledger.pg.execute("SELECT error_class FROM stage_results WHERE outcome = 'failed'").fetchall()
    assert row["error_class"] == "refused"


def test_a_dialect_is_remembered_for_other_workers_until_it_is_forgotten(run, teacher_url):
    provider, _ = run(WORKING["openai-o"])
    (known,) = remembered(provider.work.store)
    assert known.dialect.limit == "max_completion_tokens"
    assert known.dialect.dropped == ("temperature",)
    assert "secret" not in json.dumps(known.model_dump(mode="json"))
    assert forget(provider.work.store) == 1
    assert remembered(provider.work.store) == []
