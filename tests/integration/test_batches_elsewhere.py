"""Batch APIs that are not of OpenAI's form, through the same polls of a worker: nothing lost, nothing asked twice."""

import asyncio
import shutil
from functools import partial

import pytest
from pydantic import SecretStr

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.llm import access
from gem_tasks.llm.batch import registry as batch_apis
from gem_tasks.llm.batch.gemini import GeminiBatches
from gem_tasks.llm.batch.mistral import MistralBatches
from gem_tasks.pipeline.batch.run import poll, submit
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, NAMES, PARTITION
from tests.doubles.anthropic import KEY, Anthropic, failed, refuses
from tests.doubles.gemini import Gemini
from tests.doubles.mistral import Mistral
from tests.integration.batches import finish, rows, states
from tests.planning import plan

RUN = RunContext(run_id="r")


@pytest.fixture
def prepared(workspace, teacher_url, tmp_path):
    """`(double, workspace)` of a double, with two documents in one shard."""
    (tmp_path / "docs").mkdir()
    for name in NAMES:
        shutil.copy(EXAMPLES / name, tmp_path / "docs")

    def make(provider, **changes):
        work = workspace(
            llm_base_url=provider.url, llm_mode="batch", llm_batch_poll_s=0.01, shard_segments=100,
            llm_api_key=SecretStr(KEY), **changes,
        )  # fmt: skip
        ingest(work, str(tmp_path / "docs"), PARTITION)
        assert plan(work, PARTITION) == [{"partition": PARTITION, "shard": 0}]
        return work

    return make


ANTHROPIC = {"llm_requests": {"": RequestOptions(api="anthropic", temperature="off")}}


def test_all_stages_through_anthropics_batches(prepared, teacher_url):
    with Anthropic(teacher_url, thinks=100) as provider:
        work = prepared(provider, **ANTHROPIC)
        for stage in STAGE_NAMES:
            report, _ = finish(work, submit(work, stage, PARTITION, 0, RUN))
            report = report or run_shard(work, stage, PARTITION, 0, RUN)
            assert report.failed == 0
            if stage == "filter":
                assert report.accepted == 2
        assert rows(work, "SELECT count(*) AS n FROM stage_results WHERE stage = 'validate'")[0]["n"] >= 1
        assert provider.batches == {}, "what was taken in is deleted"
        found = rows(work, "SELECT stage, cached_tokens, reasoning_tokens FROM cost")
        assert {row["stage"]: row["cached_tokens"] > 0 for row in found}["generate"]
        assert all(row["reasoning_tokens"] >= 100 for row in found if row["stage"] in {"filter", "generate"})


def test_what_anthropics_batch_did_not_answer_goes_into_the_next(prepared, teacher_url):
    once = {"expired": True}

    def first_expires(provider, body):
        if once.pop("expired", False):
            return "expired", None
        return None

    with Anthropic(teacher_url, before=first_expires) as provider:
        work = prepared(provider, **ANTHROPIC)
        pending = submit(work, "filter", PARTITION, 0, RUN)
        assert states(work) == ["submitted"]
        report, rounds = finish(work, pending)
        assert (report.accepted, report.failed, rounds) == (2, 0, 2)
        assert len(provider.asked) == 3
        faults = [row["faults"] for row in rows(work)]
        assert sorted(faults, key=len) == [{}, {"timeout": 1}]


def test_an_error_in_anthropics_results_is_read_like_one_online(prepared, teacher_url):
    with Anthropic(teacher_url, before=refuses) as provider:
        work = prepared(provider, **ANTHROPIC)
        report, _ = finish(work, submit(work, "filter", PARTITION, 0, RUN))
        assert (report.accepted, report.failed) == (1, 1)
        assert {row["error_class"] for row in rows(work)} == {None, "refused"}


def test_money_in_anthropics_results_stops_the_task(prepared, teacher_url):
    broke = lambda provider, body: failed(402, "billing_error", "No credit.")  # noqa: E731
    with Anthropic(teacher_url, before=broke) as provider:
        work = prepared(provider, **ANTHROPIC)
        with pytest.raises(UserError, match="no_credit"):
            finish(work, submit(work, "filter", PARTITION, 0, RUN))
        assert rows(work) == []


def test_a_cancelled_batch_of_anthropic_keeps_what_it_brought(prepared, teacher_url):
    with Anthropic(teacher_url) as provider:
        work = prepared(provider, **ANTHROPIC)
        pending = submit(work, "filter", PARTITION, 0, RUN)
        (batch,) = provider.batches.values()
        batch["cancelled"], batch["results"][0]["result"] = True, {"type": "canceled"}
        assert not asyncio.run(poll(work, pending)).ended
        with pytest.raises(UserError, match="was cancelled after 1 of 2 answers"):
            finish(work, pending)
        assert len(rows(work)) == 1
        report, _ = finish(work, submit(work, "filter", PARTITION, 0, RUN))
        assert (report.accepted, len(provider.asked)) == (2, 3)


@pytest.fixture
def mistral(teacher_url, monkeypatch):
    """Its double, at an address that counts as Mistral's."""
    monkeypatch.setitem(batch_apis._HOSTS, "127.0.0.1", MistralBatches)
    return partial(Mistral, teacher_url)


def test_stages_through_mistrals_batch_jobs(prepared, mistral):
    with mistral() as provider:
        work = prepared(provider)
        for stage in STAGE_NAMES[:2]:
            report, rounds = finish(work, submit(work, stage, PARTITION, 0, RUN))
            assert (report.accepted > 0, report.failed, rounds) == (True, 0, 1)
        assert provider.files == {}, "what was taken in is deleted"
        assert all("gem_key" in job["metadata"] for job in provider.jobs.values())


@pytest.mark.parametrize("ends", ["SUCCESS", "TIMEOUT_EXCEEDED", "A_WORD_OF_TOMORROW"])
def test_what_mistrals_job_did_not_answer_goes_into_the_next(prepared, mistral, ends):
    with mistral(ends=ends, silent=1) as provider:
        work = prepared(provider)
        report, rounds = finish(work, submit(work, "filter", PARTITION, 0, RUN))
        assert (report.accepted, report.failed, rounds, len(provider.asked)) == (2, 0, 2, 2)


def test_a_job_of_mistral_that_fails_as_a_whole_is_one_clear_line(prepared, mistral):
    with mistral(ends="FAILED") as provider:
        work = prepared(provider)
        with pytest.raises(UserError, match="the model cannot be used in batches"):
            finish(work, submit(work, "filter", PARTITION, 0, RUN))
        assert rows(work) == []


def test_a_job_that_a_lost_worker_created_is_found_by_its_key(mistral):
    async def find(url):
        async with MistralBatches(url, None) as client:
            return await client.find("k2"), await client.find("k3")

    with mistral() as provider:
        provider.jobs = {f"job{n}": {"id": f"job{n}", "metadata": {"gem_key": f"k{n}"}} for n in (1, 2)}
        assert asyncio.run(find(provider.url)) == ("job2", None)


@pytest.fixture
def gemini(teacher_url, monkeypatch):
    """Its double, at an address that counts as Gemini's."""
    monkeypatch.setitem(batch_apis._HOSTS, "127.0.0.1", GeminiBatches)
    monkeypatch.setattr(access, "_GOOGLE", "127.0.0.1")
    return partial(Gemini, teacher_url)


def test_stages_through_geminis_batches(prepared, gemini):
    with gemini() as provider:
        provider.url += "/openai"
        work = prepared(provider)
        for stage in STAGE_NAMES[:2]:
            report, rounds = finish(work, submit(work, stage, PARTITION, 0, RUN))
            assert (report.accepted > 0, report.failed, rounds) == (True, 0, 1)
        assert provider.batches == {}, "what was taken in is deleted"
        assert all(headers["x-goog-api-key"] == KEY for headers in provider.headers)
        assert not any("Authorization" in headers for headers in provider.headers)
        (row,) = rows(work, "SELECT cached_tokens, reasoning_tokens FROM cost WHERE stage = 'filter'")
        assert (row["cached_tokens"], row["reasoning_tokens"]) == (2 * 4, 2 * 7)


def test_what_geminis_batch_did_not_answer_goes_into_the_next(prepared, gemini):
    with gemini(silent=1) as provider:
        work = prepared(provider)
        report, rounds = finish(work, submit(work, "filter", PARTITION, 0, RUN))
        assert (report.accepted, report.failed, rounds, len(provider.asked)) == (2, 0, 2, 3)
        assert sorted((row["faults"] for row in rows(work)), key=len) == [{}, {"server_error": 1}]


def test_a_batch_of_gemini_that_a_lost_worker_created_is_found_by_its_key(gemini):
    async def find(url):
        async with GeminiBatches(url, None) as client:
            return await client.find("k2"), await client.find("k3")

    with gemini() as provider:
        about = {n: {"displayName": f"k{n}", "state": "BATCH_STATE_PENDING"} for n in (1, 2)}
        provider.batches = {f"b{n}": {"name": f"batches/b{n}", "metadata": about[n]} for n in (1, 2)}
        assert asyncio.run(find(provider.url)) == ("batches/b2", None)
