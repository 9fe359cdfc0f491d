"""All stages against Anthropic's own API, with default settings and with thinking asked for."""

import shutil
from contextlib import nullcontext
from functools import partial

import pytest
from pydantic import SecretStr

from gem_tasks.cli.preflight import preflight
from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.llm.dialects.memory import remembered
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, NAMES, PARTITION
from tests.doubles.anthropic import KEY, WORKING, Anthropic, limits_spend, over_its_tier, refuses, too_long
from tests.integration.learning import MOST_WASTED, wasted_by_learning
from tests.planning import plan


@pytest.fixture
def run(workspace, teacher_url, tmp_path):
    """Runs the stages over two documents; gives the double, the workspace and the reports."""
    (tmp_path / "docs").mkdir()
    for name in NAMES:
        shutil.copy(EXAMPLES / name, tmp_path / "docs")

    def go(make=Anthropic, stops=nullcontext, **options):
        with make(teacher_url) as provider:
            work = workspace(
                llm_base_url=provider.url,
                llm_api_key=SecretStr(KEY),
                shard_segments=100,
                llm_requests={"": RequestOptions(api="anthropic", **options)},
            )
            reports = []
            with stops():
                preflight(work, str(tmp_path / "docs"))
                ingest(work, str(tmp_path / "docs"), PARTITION)
                (shard,) = plan(work, PARTITION)
                for stage in STAGE_NAMES:
                    reports.append(run_shard(work, stage, PARTITION, shard["shard"], RunContext(run_id="r")))
            return provider, work, reports

    return go


@pytest.mark.parametrize("options", [{}, {"reasoning_effort": "high"}, {"reasoning_effort": "off"}, {"stream": True}])
@pytest.mark.parametrize("name", WORKING)
def test_every_manner_ends_in_trajectories(run, name, options):
    provider, work, reports = run(WORKING[name], **options)
    assert reports[0].accepted == 2
    assert reports[STAGE_NAMES.index("validate")].accepted >= 1
    assert [report.failed for report in reports] == [0] * len(STAGE_NAMES)
    wasted = wasted_by_learning(work)
    assert max(wasted.values()) <= MOST_WASTED, wasted
    last = provider.asked[-1]
    effort = options.get("reasoning_effort")
    if effort == "off":
        assert last["thinking"] == {"type": "disabled"}
    elif effort and name == "old":
        assert last["thinking"]["type"] == "enabled"
        assert last["thinking"]["budget_tokens"] < last["max_tokens"]
    elif effort:
        assert (last["thinking"], last["output_config"]["effort"]) == ({"type": "adaptive"}, "high")
    else:
        assert "thinking" not in last
    print(f"\nWASTED {name} {options}: {wasted}; {remembered(work.store)[0].dialect.summary}")


def test_tokens_of_thought_and_of_the_cache_are_counted(run):
    provider, work, _ = run(WORKING["thinks"])
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT stage, prompt_tokens, cached_tokens, reasoning_tokens FROM cost").fetchall()
    by_stage = {row["stage"]: row for row in rows}
    assert by_stage["filter"]["reasoning_tokens"] >= 2 * 1500
    assert by_stage["filter"]["cached_tokens"] == 0  # its instructions are shorter than what is cached
    assert 0 < by_stage["generate"]["cached_tokens"] < by_stage["generate"]["prompt_tokens"]
    long = [body for body in provider.asked if sum(len(part["text"]) for part in body["system"]) >= 2048]
    marked = [part for body in provider.asked for part in body["system"] if part.get("cache_control")]
    assert len(marked) == len(long) >= len(STAGE_NAMES)


def test_the_key_and_the_version_go_in_their_headers_and_the_list_is_read(run):
    provider, _, _ = run()
    assert provider.listed > 0
    for headers in provider.headers:
        assert headers["x-api-key"] == KEY
        assert headers["anthropic-version"] == "2023-06-01"
        assert "Authorization" not in headers


@pytest.mark.parametrize("before", [limits_spend, over_its_tier, partial(limits_spend, status=402, text="No credit.")])
def test_money_stops_the_stage_after_one_call(run, before):
    stopped = partial(pytest.raises, UserError, match="no_credit")
    provider, work, reports = run(partial(Anthropic, before=before), stops=stopped)
    assert (reports, len(provider.asked)) == ([], 1)
    with work.ledger() as ledger:
        assert ledger.pg.execute("SELECT count(*) AS n FROM stage_results").fetchone()["n"] == 0


@pytest.mark.parametrize(("before", "kind"), [(refuses, "refused"), (too_long, "context_length")])
def test_what_is_refused_to_one_document_is_that_documents_failure(run, before, kind):
    _, work, reports = run(partial(Anthropic, before=before))
    assert (reports[0].accepted, reports[0].failed) == (1, 1)
    with work.ledger() as ledger:
        (row,) = ledger.pg.execute("SELECT error_class FROM stage_results WHERE outcome = 'failed'").fetchall()
    assert row["error_class"] == kind


def test_a_wrong_key_is_asked_once(workspace, teacher_url):
    with Anthropic(teacher_url) as provider:
        options = {"": RequestOptions(api="anthropic")}
        work = workspace(llm_base_url=provider.url, llm_api_key=SecretStr("wrong"), llm_requests=options)
        with pytest.raises(UserError, match="invalid x-api-key"):
            preflight(work, str(EXAMPLES))
        assert provider.refused == 3  # the question; the list, for the window and for names
