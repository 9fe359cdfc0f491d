"""`--estimate`: a sample through all stages, beside any run, and what it asked is not asked again."""

import json
import re
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from gem_tasks.domain.corpus import Source
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.preflight.sample import measure
from gem_tasks.pipeline.preflight.survey import survey
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.upkeep.retention import collect
from tests.corpus import EXAMPLES, PARTITION
from tests.doubles.hosted import openai_o
from tests.doubles.serving import Provider, error
from tests.planning import plan


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text('["offline-rules"]\ninput = 1.0\noutput = 4.0\n')
    return path


def run_all(work, source):
    ingest(work, str(source), PARTITION)
    for shard in plan(work, PARTITION):
        for stage in STAGE_NAMES:
            run_shard(work, stage, PARTITION, shard["shard"], RunContext(run_id="r"))


def bodies(provider):
    return Counter(json.dumps(body, sort_keys=True) for body in provider.asked)


def cost_of(measured):
    return sum(step.cost.usd for text in measured.texts for step in text.steps)


def test_what_the_sample_asked_is_paid_once_and_nothing_is_recorded_of_it(workspace, teacher_url, prices):
    with Provider(teacher_url, lambda provider, body: provider.served(body)) as provider:
        work = workspace(llm_base_url=provider.url, llm_prices=prices)
        found = survey(work, Source(uri=str(EXAMPLES)), 8)
        sampled = measure(work, found.sample, None)
        asked = len(provider.asked)
        assert len(sampled.texts) == 8
        assert asked == sum(step.cost.calls for text in sampled.texts for step in text.steps)
        with work.ledger() as ledger:
            assert ledger.sources.all() == []
            assert ledger.pg.execute("SELECT count(*) AS n FROM documents").fetchone()["n"] == 0
        run_all(work, EXAMPLES)
        assert max(bodies(provider).values()) == 1
        with work.ledger() as ledger:
            row = ledger.pg.execute(
                "SELECT sum(calls)::int AS calls, sum(usd)::float AS usd FROM stage_results"
            ).fetchone()
            texts = ledger.pg.execute("SELECT count(*) AS n FROM segments").fetchone()["n"]
        assert row["calls"] == len(provider.asked)
        assert row["usd"] > cost_of(sampled) > 0
        assert found.texts == texts


def test_a_larger_sample_continues_a_smaller_one(workspace, teacher_url):
    with Provider(teacher_url, lambda provider, body: provider.served(body)) as provider:
        work = workspace(llm_base_url=provider.url)
        small, large = (survey(work, Source(uri=str(EXAMPLES)), size) for size in (3, 6))
        assert large.sample[:3] == small.sample
        assert survey(work, Source(uri=str(EXAMPLES)), 3, seed=1).sample != small.sample
        first = measure(work, small.sample, None)
        asked = len(provider.asked)
        second = measure(work, large.sample, None)
        assert (first.replayed, second.replayed) == (0, asked)
        assert max(bodies(provider).values()) == 1


def test_a_survey_counts_what_a_run_would_leave_out(workspace, tmp_path):
    work = workspace()
    docs = tmp_path / "docs"
    docs.mkdir()
    text = (EXAMPLES / "library-loans.txt").read_text()
    shutil.copy(EXAMPLES / "parcel-locker.md", docs / "a.md")
    ingest(work, str(docs), PARTITION)
    (docs / "b.txt").write_text(text)
    (docs / "c.txt").write_text(text)  # the same
    (docs / "d.txt").write_text(text.replace("library", "Library", 1) + "\n\nUpdated this spring.\n")  # nearly
    (docs / "e.txt").write_text("")
    found = survey(work, Source(uri=str(docs)), 10)
    assert (found.documents, found.known, found.unusable) == (5, 1, 2)
    assert found.near_duplicates >= 1
    assert {segment.document_uri.rpartition("/")[2] for segment in found.sample} == {"b.txt"}
    assert found.texts == len(found.sample)
    limited = survey(work, Source(uri=str(docs), limit=2), 10)
    assert (limited.documents, limited.limit, limited.known) == (2, 2, 1)


def test_a_limit_that_is_kept_with_the_source_holds_unless_it_is_lifted(workspace):
    work = workspace()
    ingest(work, Source(uri=str(EXAMPLES), limit=2), PARTITION)
    assert survey(work, Source(uri=str(EXAMPLES)), 3).documents == 2
    assert survey(work, Source(uri=str(EXAMPLES), limit=0), 3).documents > 10


def test_a_budget_too_small_for_the_sample_stops_it_and_keeps_what_came(workspace, teacher_url, prices):
    with Provider(teacher_url, lambda provider, body: provider.served(body)) as provider:
        work = workspace(llm_base_url=provider.url, llm_prices=prices)
        sample = survey(work, Source(uri=str(EXAMPLES)), 8).sample
        with pytest.raises(UserError, match="too small even for the sample"):
            measure(work, sample, 0.02)
        came = len(provider.asked)
        assert came > 0
        whole = measure(work, sample, 5.0)  # less than the token limits of all calls at a time
        assert whole.replayed >= 1
        assert len(whole.texts) == 8


def test_a_fault_of_the_configuration_is_told_in_the_endpoints_words(workspace, teacher_url):
    with Provider(teacher_url, lambda provider, body: error(402, "Insufficient Balance", "unknown_error")) as provider:
        work = workspace(llm_base_url=provider.url)
        sample = survey(work, Source(uri=str(EXAMPLES)), 8).sample
        with pytest.raises(UserError, match="Insufficient Balance"):
            measure(work, sample, None)
        assert len(provider.asked) == 1


def test_one_text_that_fails_is_a_failure_of_the_sample(workspace, teacher_url):
    def manner(provider, body):
        if "parcel locker" in json.dumps(body).lower():
            return error(400, "filtered", None, "prompt", "content_filter")
        return openai_o(provider, body)

    with Provider(teacher_url, manner) as provider:
        work = workspace(llm_base_url=provider.url)
        texts = measure(work, survey(work, Source(uri=str(EXAMPLES)), 50).sample, None).texts
    failed = [text.steps[-1] for text in texts if text.steps[-1].kind == "failed"]
    assert {step.error_class for step in failed} == {"refused"}
    assert len(failed) < len(texts)
    thought = sum(step.cost.usage.reasoning_tokens for text in texts for step in text.steps)
    assert thought >= 300 * sum(
        bool(step.cost.calls) and step.kind != "failed" for text in texts for step in text.steps
    )


def test_answers_of_a_sample_outlive_the_first_day(workspace):
    work = workspace()
    measure(work, survey(work, Source(uri=str(EXAMPLES)), 1).sample, None)
    kept = list(work.store.list("journal/"))
    assert kept
    assert all(re.fullmatch(r"journal/[^/]+/sample/shard-00000/.+", key) for key in kept)
    collect(work, dry_run=False, now=datetime.now(UTC) + timedelta(days=3))
    assert list(work.store.list("journal/")) == kept
    collect(work, dry_run=False, now=datetime.now(UTC) + timedelta(days=40))
    assert list(work.store.list("journal/")) == []
