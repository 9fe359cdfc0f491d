"""Conformance: all stages against every provider's manners, with default settings."""

import json
import shutil
from functools import partial

import pytest

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import GemError
from gem_tasks.lineage import RunContext
from gem_tasks.llm.dialects.memory import forget, remembered
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, NAMES, PARTITION
from tests.doubles.hostile import FAULTS, hostile, revoked
from tests.doubles.providers import FORCED, MODERATING, REFUSING, THINKING, WORKING, Provider
from tests.integration.learning import MOST_WASTED, wasted_by_learning
from tests.planning import plan


@pytest.fixture
def run(workspace, teacher_url, tmp_path):
    """Runs the stages over two documents behind a manner; gives the provider and the reports."""
    (tmp_path / "docs").mkdir()
    for name in NAMES:
        shutil.copy(EXAMPLES / name, tmp_path / "docs")

    def go(manner, after=lambda provider: None, **settings):
        with Provider(teacher_url, manner) as provider:
            provider.work = workspace(llm_base_url=provider.url, shard_segments=100, **settings)
            provider.error = None
            ingest(provider.work, str(tmp_path / "docs"), PARTITION)
            reports = staged(provider)
            after(provider)
            return provider, reports

    return go


def staged(provider):
    """All stages, as far as they go; a report and the number of refused calls of each."""
    reports = []
    try:
        for shard in plan(provider.work, PARTITION):
            for stage in STAGE_NAMES:
                before = provider.refused
                report = run_shard(provider.work, stage, PARTITION, shard["shard"], RunContext(run_id="r"))
                reports.append((report, provider.refused - before))
    except GemError as error:
        provider.error = error
    return reports


def print_row(provider, name):
    """For the table in docs/llm-plane.md; see `tests.providers_table`."""
    wasted = ", ".join(f"{stage} {calls}" for stage, calls in wasted_by_learning(provider.work).items() if calls)
    with provider.work.ledger() as ledger:
        query = "SELECT error_class, sum(calls)::int AS calls FROM wasted_calls GROUP BY 1 ORDER BY 1"
        others = {row["error_class"]: row["calls"] for row in ledger.pg.execute(query).fetchall()}
    again = ", ".join(f"{kind} {calls}" for kind, calls in others.items() if kind not in {"bad_request", "truncated"})
    shown = "; ".join(known.dialect.summary for known in remembered(provider.work.store))
    said = str(provider.error or "").partition(". ")[0].partition("): ")[2] or f"`{shown}`"
    print(f"\n| {name} | {wasted or '–'} | {again or '–'} | {said.replace('|', ' ')[:160]} |")


@pytest.mark.parametrize("name", WORKING)
def test_every_manner_ends_in_trajectories_and_learning_costs_at_most_three_calls_a_stage(run, name):
    provider, reports = run(WORKING[name])
    accepted = [report.accepted for report, _ in reports]
    assert len(accepted) == len(STAGE_NAMES), provider.error
    assert accepted[0] == 2
    assert accepted[STAGE_NAMES.index("validate")] >= 1
    assert [report.failed for report, _ in reports] == [0] * len(STAGE_NAMES)
    wasted = wasted_by_learning(provider.work)
    assert max(wasted.values()) <= MOST_WASTED, wasted
    print_row(provider, name)


OFF = {
    "gpt-5.6": "reasoning_effort", "mistral-thinking": "reasoning_effort", "vllm-new": "reasoning_effort",
    "llamacpp": "reasoning_effort", "ollama": "reasoning_effort", "vllm-old": "chat_template_kwargs",
    "vllm-old-strict-effort": "chat_template_kwargs", "sglang": "chat_template_kwargs", "deepseek": "thinking",
    "zai": "thinking", "kimi": "thinking", "dashscope": "enable_thinking",
}  # fmt: skip
"""What turns thinking off, by provider's documentation."""


EFFORTS = {"": RequestOptions(reasoning_effort="off"), "generate": RequestOptions(reasoning_effort="low")}
"""Both in one run: the manner is learned once, and each stage is asked as it is set."""


@pytest.mark.parametrize("name", THINKING | FORCED)
def test_effort_is_translated_and_the_answers_are_accepted_as_without_it(run, name):
    provider, reports = run((THINKING | FORCED)[name], llm_requests=EFFORTS)
    accepted = [report.accepted for report, _ in reports]
    assert len(accepted) == len(STAGE_NAMES), provider.error
    assert (accepted[0], sum(report.failed for report, _ in reports)) == (2, 0)
    assert accepted[STAGE_NAMES.index("validate")] >= 1
    wasted = wasted_by_learning(provider.work)
    assert max(wasted.values()) <= MOST_WASTED, wasted
    (known,) = remembered(provider.work.store)
    assert known.dialect.off_switch == OFF.get(name, "lowest"), known.dialect.summary


@pytest.mark.parametrize("name", REFUSING)
def test_a_provider_that_refuses_everything_is_asked_once_and_nothing_is_failed(run, name):
    manner, error_class = REFUSING[name]
    provider, reports = run(manner)
    assert reports == []
    assert error_class in provider.error.cause
    assert len(provider.asked) == 1
    print_row(provider, name)
    with provider.work.ledger() as ledger:
        assert ledger.pg.execute("SELECT count(*) AS n FROM stage_results").fetchone()["n"] == 0


@pytest.mark.parametrize("name", MODERATING)
def test_moderation_of_one_document_is_that_documents_failure(run, name):
    provider, reports = run(MODERATING[name])
    assert (reports[0][0].accepted, reports[0][0].failed) == (1, 1)
    assert reports[STAGE_NAMES.index("validate")][0].accepted == 1
    with provider.work.ledger() as ledger:
        (row,) = ledger.pg.execute("SELECT error_class FROM stage_results WHERE outcome = 'failed'").fetchall()
    assert row["error_class"] == "refused"
    print_row(provider, name)


def test_a_dialect_is_remembered_for_other_workers_until_it_is_forgotten(run, teacher_url):
    provider, _ = run(WORKING["openai-o"])
    (known,) = remembered(provider.work.store)
    assert known.dialect.limit == "max_completion_tokens"
    assert known.dialect.dropped == ("temperature",)
    assert "secret" not in json.dumps(known.model_dump(mode="json"))
    assert forget(provider.work.store) == 1
    assert remembered(provider.work.store) == []


def calls_by_rows(provider):
    """Calls that outcomes account for, and how many outcomes there are of the filter."""
    with provider.work.ledger() as ledger:
        query = "SELECT stage, outcome, error_class, calls, faults FROM stage_results"
        rows = ledger.pg.execute(query).fetchall()
    for row in rows:
        assert row["calls"] >= sum(row["faults"].values()), row
        assert (row["outcome"] == "failed") == (row["error_class"] is not None), row
    return sum(row["calls"] for row in rows), sum(row["stage"] == "filter" for row in rows)


def healed(provider):
    provider.error, provider.manner = None, lambda provider, body: provider.served(body)
    provider.again = staged(provider)


@pytest.mark.parametrize("name", FAULTS)
def test_an_endpoint_that_never_answers_loses_nothing(run, name):
    """The same command finishes the work once it answers; an empty answer is one, and the text's failure."""
    provider, _ = run(FAULTS[name], healed, llm_max_attempts=2)
    accepted = [report.accepted for report, _ in provider.again]
    calls, filtered = calls_by_rows(provider)
    assert (calls, filtered) == (provider.calls, 2)
    assert accepted[:3] == ([] if name == "null-content" else [2, 2, 2])


def test_hostile_replies_amid_good_ones_lose_nothing(run):
    provider, reports = run(hostile)
    assert provider.error is None
    assert len(reports) == len(STAGE_NAMES)
    assert reports[STAGE_NAMES.index("validate")][0].accepted >= 1
    assert calls_by_rows(provider) == (provider.calls, 2)


def test_a_key_that_ends_stops_the_run_and_the_rest_is_done_with_the_next_one(run):
    provider, reports = run(partial(revoked, good=5), healed)
    assert len(reports) < len(STAGE_NAMES)
    accepted = [report.accepted for report, _ in provider.again]
    assert accepted[:3] == [2, 2, 2]


def test_a_cap_that_one_stage_exceeds_is_told_to_one_request_of_many(workspace, teacher_url):
    """Others in flight at once would each be refused: only refining asks for more than 16,384 tokens."""
    with Provider(teacher_url, WORKING["openai-4"]) as provider:
        provider.work, provider.error = workspace(llm_base_url=provider.url, shard_segments=100), None
        ingest(provider.work, str(EXAMPLES), PARTITION)
        staged(provider)
    assert provider.error is None
    assert {stage: calls for stage, calls in wasted_by_learning(provider.work).items() if calls} == {"refine": 1}
