"""A limit on what is read of a source, for one run or for good, and other settings of a source."""

import pytest

from gem_tasks.domain.corpus import Source
from gem_tasks.errors import UserError
from gem_tasks.lineage import Registered
from gem_tasks.pipeline.ingest import scan
from gem_tasks.pipeline.ingest.source import ingest
from tests.integration.documents import FIRST, SECOND, THIRD, records, states, text, write
from tests.planning import plan


def test_a_limited_run_takes_nothing_for_gone(workspace, tmp_path):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"), c=text("cat"))
    assert ingest(work, source, FIRST, limit=2).documents == 2
    (tmp_path / "s" / "a.txt").unlink()
    assert ingest(work, source, FIRST, limit=1).gone == 0
    assert states(work) == {"a.txt": ["live"], "b.txt": ["live"]}
    assert ingest(work, source, FIRST).gone == 1


def documents(work):
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT uri FROM documents WHERE live AND reason IS NULL ORDER BY uri").fetchall()
    return [row["uri"].rpartition("/")[2] for row in rows]


def test_a_limit_given_once_holds_for_every_later_run_until_it_is_lifted(workspace, tmp_path, opened):
    """What `gem run --limit 2` and the hourly run after it do; the hourly run names no limit."""
    work, uri = workspace(), write(tmp_path / "s", **{name: text(f"w{name}") for name in "bcdef"})
    report = ingest(work, Source(uri=uri, limit=2), FIRST)
    assert (report.documents, report.stopped_at) == (2, 2)
    opened.clear()
    write(tmp_path / "s", a=text("new"), g=text("newer"))
    report = ingest(work, uri, SECOND)
    assert (report.documents, report.unchanged, report.segments, report.stopped_at) == (2, 2, 0, 2)
    assert (opened, documents(work)) == ([], ["b.txt", "c.txt"])
    with work.ledger() as ledger:
        (row,) = ledger.sources.all()
        assert (row.limit, row.scanned_at) == (2, None)
        assert plan(work, SECOND) == []
        assert ledger.sources.limit(str(row.source_id), 3) == uri
    assert ingest(work, uri, SECOND).documents == 3
    assert len(documents(work)) == 3
    report = ingest(work, Source(uri=uri, limit=0), THIRD)
    assert (report.documents, report.stopped_at, len(documents(work))) == (7, None, 7)
    with work.ledger() as ledger:
        (row,) = ledger.sources.all()
    assert row.limit is None
    assert row.scanned_at is not None
    assert ingest(work, uri, THIRD).stopped_at is None


def test_under_a_limit_changes_are_followed_and_what_vanished_is_retired(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "_PIECE", 2)
    work, uri = workspace(), write(tmp_path / "s", **{name: text(f"w{name}") for name in "abcdef"})
    ingest(work, Source(uri=uri, limit=3), FIRST)
    write(tmp_path / "s", b=text("changed"))
    assert ingest(work, uri, SECOND).superseded == 1
    assert states(work) == {"a.txt": ["live"], "b.txt": ["old", "live"], "c.txt": ["live"]}
    (tmp_path / "s" / "c.txt").unlink()
    assert ingest(work, uri, SECOND).gone == 1
    assert documents(work) == ["a.txt", "b.txt"]
    assert ingest(work, uri, THIRD).documents == 3
    assert documents(work) == ["a.txt", "b.txt", "d.txt"]


def test_a_limit_that_cuts_a_dump_keeps_to_its_first_records(workspace, tmp_path):
    texts = {f"n{number}": text(f"w{number}") for number in range(6)}
    work, path = workspace(), records(tmp_path / "d.jsonl.gz", **texts)
    for _ in range(3):
        report = ingest(work, Source(uri=path, limit=2), FIRST)
        assert (report.documents, report.stopped_at) == (2, 2)
        assert len(documents(work)) == 2
    records(tmp_path / "d.jsonl.gz", **texts, n9=text("w9"))
    assert ingest(work, path, SECOND).segments == 0
    assert ingest(work, Source(uri=path, limit=0), SECOND).documents == 7
    assert len(documents(work)) == 7


def test_settings_of_a_source_hold_for_its_documents(workspace, tmp_path):
    work, uri = workspace(), write(tmp_path / "s", a=text("ant") * 3, short="A few words.")
    source = Source(uri=uri, license="CC0-1.0", target_tokens=50, max_tokens=100, min_chars=5)
    small = ingest(work, source, FIRST)
    assert small.segments > 5
    with work.ledger() as ledger:
        (row,) = ledger.sources.all()
        licences = ledger.pg.execute("SELECT DISTINCT license, reason FROM documents").fetchall()
        again = ledger.sources.register(Source(uri=uri, max_tokens=200), "files")
    assert licences == [{"license": "CC0-1.0", "reason": None}]
    assert (row.license, row.objects, row.documents, row.kind) == ("CC0-1.0", 2, 2, "files")
    assert isinstance(again, Registered)
    assert (again.license, again.max_tokens, again.target_tokens) == ("CC0-1.0", 200, 50)


def test_a_disabled_source_is_left_out_of_the_hourly_run(workspace, tmp_path):
    from gem_tasks.pipeline.ingest.source import register, sources

    work, uri = workspace(), write(tmp_path / "s", a=text("ant"))
    number = register(work, Source(uri=uri)).source_id
    with work.ledger() as ledger:
        assert ledger.sources.enable(str(number), False) == uri
        assert sources(work, None) == []
        assert ledger.sources.enable(uri, True) == uri
        assert ledger.sources.enable("nothing", True) is None
    assert sources(work, None) == [uri]
    with pytest.raises(UserError, match="does not exist"):
        register(work, Source(uri=str(tmp_path / "nowhere")))
    assert sources(work, None) == [uri]
