"""An endpoint gives our key back in every form, wherever it can write: it is found in nothing that a run leaves."""

import itertools
import json
import logging

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from gem_tasks import redaction
from gem_tasks.cli.main import app
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.redaction.outlets import guard_logs
from tests.corpus import PARTITION
from tests.doubles.serving import Provider, error
from tests.echoed_keys import FORMS, KEY
from tests.planning import plan

TEXT = "How a parcel gets from locker {0} to house {0}: open the locker, take it, sign the slip, drive to the house."


def in_an_error(form, provider, body):
    return error(403, f"flagged by moderation: {form}", type_=form, code=form)


def in_what_is_no_answer(form, provider, body):
    return provider.served(body, lambda answer: answer["choices"][0]["message"].update(content=f"no tags {form}"))


def in_an_answer(form, provider, body):
    def change(answer):
        message = answer["choices"][0]["message"]
        message["content"] = message["content"].replace("<summary>", f"<summary>{form} ")
        message["reasoning_content"] = form
        answer.update(model=form, id=form, system_fingerprint=form)
        answer["choices"][0]["finish_reason"] = form
        answer["usage"]["prompt_tokens_details"] = {form: 1}

    return provider.served(body, change)


def plainly(form, provider, body):
    return provider.served(body)


@pytest.fixture
def echoing(teacher_url):
    """Every form in every place, and every other request as it should be."""
    ways = itertools.product(FORMS.values(), (in_an_error, in_what_is_no_answer, in_an_answer, plainly))

    def manner(provider, body):
        form, way = next(ways, (KEY, plainly))
        return way(form, provider, body)

    with Provider(teacher_url, manner) as provider:
        yield provider


def left(work, folder):
    """Everything that was written: rows of all tables, and files, unpacked."""
    with work.ledger() as ledger:
        tables = ledger.pg.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in (tuple(row.values()) for row in tables):
            for row in ledger.pg.execute(f'SELECT t::text AS line FROM "{name}" t').fetchall():
                yield name, row["line"]
    for path in folder.rglob("*"):
        if path.is_file() and "documents" not in path.parts:
            yield str(path), unpacked(path)


def unpacked(path):
    if path.suffix == ".parquet":
        return json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False)
    data = path.read_bytes()
    return (pa.CompressedInputStream(pa.BufferReader(data), "zstd").read() if path.suffix == ".zst" else data).decode()


def test_a_key_that_is_echoed_is_found_nowhere(workspace, echoing, tmp_path, caplog, monkeypatch):
    redaction.know("GEM_LLM_API_KEY", KEY)
    before = logging.getLogRecordFactory()
    guard_logs()
    caplog.set_level(logging.DEBUG)
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(4 * len(FORMS)):
        (documents / f"{number}.txt").write_text(TEXT.format(number) + "\n\n" + TEXT.format(number + 1000))
    work = workspace(llm_base_url=echoing.url, llm_api_key=SecretStr(KEY), llm_max_attempts=1, shard_segments=500,
                     llm_slots=1, near_duplicate=0)  # fmt: skip
    try:
        ingest(work, str(documents), PARTITION)
        assert len(plan(work, PARTITION)) == 1
        report = run_shard(work, "filter", PARTITION, 0, RunContext(run_id="r", last_try=True))
        assert echoing.calls >= 4 * len(FORMS)
        assert report.failed >= len(FORMS), report
        assert report.accepted + report.rejected >= len(FORMS), report
        found = dict(left(work, tmp_path))
        rows = [line for name, line in left(work, tmp_path) if "/" not in name]
        texts = [*found.items(), *(("row", line) for line in rows), ("log", caplog.text)]
        for settings in (("GEM_POSTGRES_DSN", work.settings.database), ("GEM_HOME", str(tmp_path)),
                         ("GEM_STORE_URL", work.settings.store_root)):  # fmt: skip
            monkeypatch.setenv(*settings)
        shown = CliRunner().invoke(app, ["failures", "--raw", "--json"])
        texts.append(("gem failures", shown.output))
    finally:
        logging.setLogRecordFactory(before)
        redaction.IN_FORCE.forget()
    assert "[redacted]" in json.dumps(rows)
    leaks = [(where, name) for where, text in texts for name, form in FORMS.items()
             if form in text or json.dumps(form)[1:-1] in text or form[: len(form) // 2] in text]  # fmt: skip
    assert leaks == []
