"""One odd document never stops an ingestion: what Postgres cannot store is replaced, and the rest is recorded."""

import json
import os
from pathlib import Path

import pytest

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.errors import ErrorClass
from gem_tasks.lineage import Ledger, RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.records import segments_of

PARTITION = "2026-01-31T14:00"
TEXT = "# Renewing a loan\n\n" + "1. Open the reader's page.\n2. Select the loan and press Renew.\n" * 6


def line(number, **fields):
    return json.dumps({"id": number, "text": f"{TEXT}\nCase {number}.", **fields})


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def ingested(workspace, source):
    """The recorded documents by the end of their URI."""
    work = workspace()
    report = ingest(work, str(source), PARTITION)
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT * FROM documents").fetchall()
        segments = [
            found for number, _ in ledger.ingestion.shards(PARTITION) for found in segments_of(work, PARTITION, number)
        ]
    assert (len(rows), len(segments)) == (report.documents, report.segments)
    return {row["uri"].rsplit("/", 1)[-1]: row for row in rows}


def test_numbers_that_json_has_not_become_null(workspace, source):
    (source / "a.jsonl").write_text("\n".join([line(1, score=float("nan"), top=[float("inf")]), line(2, score=0.5)]))
    found = ingested(workspace, source)
    assert found["a.jsonl#1"]["metadata"] == {"score": None, "top": [None]}
    assert found["a.jsonl#2"]["metadata"] == {"score": 0.5}


def test_nul_and_half_characters_are_gone_from_names_and_replaced_in_metadata(workspace, source):
    fields = {"title": "a\0b", "license": "CC\0", "url": "\ud83d", "no\0te": "\\u0000 and \0"}
    (source / "a.jsonl").write_text(line("x\0y", **fields))
    (row,) = ingested(workspace, source).values()
    assert (row["title"], row["license"], row["reason"]) == ("ab", "CC", None)
    assert row["metadata"]["no\ufffdte"] == "\\u0000 and \ufffd"
    assert "#xy~" in row["uri"], "an id that loses a character on the way gets a hash, so that no other id can equal it"


def test_a_file_name_in_an_old_encoding_is_readable_afterwards(workspace, source):
    try:
        (source / os.fsdecode(b"caf\xe9.txt")).write_text(TEXT)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert ingested(workspace, source)["caf%E9.txt"]["reason"] is None


def test_names_that_differ_in_a_byte_that_is_no_utf8_are_documents_of_their_own(workspace, source):
    names = [b"caf\xe8.txt", b"caf\xe9.txt", b"cafe.txt", b"caf\xff.txt"]
    try:
        for number, name in enumerate(names):
            (source / os.fsdecode(name)).write_text(TEXT + f" Number {number}. " * 9)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    found = ingested(workspace, source)
    assert {name: row["reason"] for name, row in found.items()} == {
        "caf%E8.txt": None, "caf%E9.txt": None, "caf%FF.txt": None, "cafe.txt": None,
    }  # fmt: skip
    work = workspace()
    again = ingest(work, str(source), PARTITION)
    assert (again.objects, again.unchanged, again.segments) == (4, 4, 0)


def test_a_path_longer_than_an_index_entry_is_recorded_and_found(workspace, source, monkeypatch):
    monkeypatch.chdir(source)
    for _ in range(14):
        name = os.urandom(100).hex()  # not compressible
        Path(name).mkdir()
        os.chdir(name)
    with Path("deep.txt").open("w", encoding="utf-8") as file:
        file.write(TEXT)
    row = ingested(workspace, source)["deep.txt"]
    assert len(row["uri"]) > 2704
    with workspace().ledger() as ledger:
        assert ledger.reports.lineage(row["uri"]).document_id == row["document_id"]


@pytest.mark.parametrize("id_", ["", "a\0b", "\ud800", "%", "'; DROP TABLE documents; --", "x" * 100_000])
def test_asking_for_nonsense_finds_nothing(dsn, id_):
    with Ledger(dsn) as ledger:
        assert ledger.reports.lineage(id_) is None
        assert ledger.datasets.find_trajectories(id_) == []


def test_an_endpoints_words_are_kept_readable_and_bounded(workspace, source):
    (source / "a.txt").write_text(TEXT)
    ingested(workspace, source)
    work = workspace()
    (segment,) = segments_of(work, PARTITION, 0)
    failed = Outcome(
        segment_id=segment.segment_id, kind="failed", error_class=ErrorClass.MALFORMED,
        detail="half \ud83d, NUL \0, and " + "much " * 10_000, cost=Cost(calls=2, usage=Usage(prompt_tokens=2**31 - 1)),
    )  # fmt: skip
    recipe = work.chain.by_stage["filter"]
    with work.ledger() as ledger:
        ledger.stages.record_recipes(work.chain.prompt_texts(), work.chain.recipes)
        ledger.stages.commit_outcomes(recipe, PARTITION, 0, [failed], "key", RunContext())
        (outcome,) = ledger.reports.lineage(segment.segment_id).segments[0].outcomes
    assert outcome.detail.startswith("half \ufffd, NUL \ufffd, and much")
    assert len(outcome.detail) <= 2000
