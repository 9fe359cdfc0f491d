"""Listings of a source: what breaks off, stays closed, vanishes by the hundred or comes out of order."""

import pytest

from gem_tasks.errors import StoreError, UserError
from gem_tasks.pipeline.ingest import scan
from gem_tasks.pipeline.ingest.scan import Scan
from gem_tasks.pipeline.ingest.source import ingest
from tests.integration.documents import FIRST, SECOND, records, states, text, write


def test_what_breaks_off_takes_nothing_along(workspace, tmp_path):
    work = workspace()
    source = records(tmp_path / "d.jsonl.gz", a=text("ant"), b=text("bee"))
    ingest(work, source, FIRST)
    path = tmp_path / "d.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-30])
    report = ingest(work, source, SECOND)
    assert (report.superseded, report.gone) == (0, 0)
    found = states(work)
    assert found.pop("d.jsonl.gz") == ["unreadable"]
    assert set(map(tuple, found.values())) == {("live",)}


def test_a_listing_that_fails_half_way_takes_nothing_along(workspace, tmp_path, monkeypatch):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"), c=text("cat"))
    ingest(work, source, FIRST)
    real = scan.list_objects

    def broken(uri, after, access):
        yield next(real(uri, after, access))
        raise StoreError("the bucket does not answer")

    monkeypatch.setattr(scan, "list_objects", broken)
    with pytest.raises(StoreError):
        ingest(work, source, SECOND)
    monkeypatch.setattr(scan, "list_objects", real)
    assert set(map(tuple, states(work).values())) == {("live",)}
    assert ingest(work, source, SECOND).gone == 0


@pytest.mark.parametrize("left", [0, 5])
def test_a_mass_that_vanishes_asks_before_it_is_retired(workspace, tmp_path, left):
    names = {f"n{number:02}": text(f"w{number}") for number in range(20)}
    work, source = workspace(), write(tmp_path / "s", **names)
    ingest(work, source, FIRST)
    for name in list(names)[left:]:
        (tmp_path / "s" / f"{name}.txt").unlink()
    if left:
        write(tmp_path / "s", new=text("new"))
    with pytest.raises(UserError, match=f"{20 - left} of {20 + bool(left)} objects .* have vanished.*accept.vanished"):
        ingest(work, source, SECOND)
    found = states(work)
    assert found.pop("new.txt", ["live"]) == ["live"]
    assert set(map(tuple, found.values())) == {("live",)}
    assert ingest(work, source, SECOND, accept_vanished=True).gone == 20 - left
    assert sum(state == ["gone"] for state in states(work).values()) == 20 - left


def test_a_folder_that_is_closed_is_not_gone(workspace, tmp_path, monkeypatch):
    from gem_tasks.corpus.sources import trees

    work, source = workspace(), write(tmp_path / "s", a=text("ant"))
    write(tmp_path / "s" / "inner", b=text("bee"))
    ingest(work, source, FIRST)
    real = trees._entries

    def entries(folder):
        if folder.endswith("inner"):
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(trees, "_entries", entries)
    assert ingest(work, source, SECOND).gone == 0
    assert states(work)["b.txt"] == ["live"]


def test_an_object_that_a_reader_trips_over_has_a_reason_and_the_others_are_read(workspace, tmp_path, monkeypatch):
    from gem_tasks.pipeline.ingest import source as module

    real = module.read

    def read(found, *limits):
        if found.uri.endswith("b.txt"):
            raise ZeroDivisionError("a fault in a parser")
        return real(found, *limits)

    monkeypatch.setattr(module, "read", read)
    work, uri = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"), c=text("cat"))
    assert ingest(work, uri, FIRST).rejected == 1
    assert states(work) == {"a.txt": ["live"], "b.txt": ["unreadable"], "c.txt": ["live"]}
    monkeypatch.setattr(module, "read", real)
    assert ingest(work, uri, FIRST).segments == 1


def test_an_interrupted_scan_goes_on_where_it_was(workspace, tmp_path, monkeypatch, opened):
    monkeypatch.setattr(scan, "_PIECE", 2)
    names = {f"n{number}": text(f"w{number}") for number in range(6)}
    work, source = workspace(shard_segments=1), write(tmp_path / "s", **names)
    real = Scan.pieces

    def dying(self):
        for number, piece in enumerate(real(self)):
            if number == 2:
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr(Scan, "pieces", dying)
    with pytest.raises(KeyboardInterrupt):
        ingest(work, source, FIRST)
    assert len(states(work)) == 4
    monkeypatch.setattr(Scan, "pieces", real)
    opened.clear()
    report = ingest(work, source, FIRST)
    assert opened == ["n4.txt", "n5.txt"]
    assert (report.objects, len(states(work))) == (2, 6)
    (tmp_path / "s" / "n0.txt").unlink()
    assert ingest(work, source, FIRST).gone == 1


def test_a_listing_out_of_order_is_refused(workspace, tmp_path, monkeypatch):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"))
    real = scan.list_objects
    monkeypatch.setattr(scan, "list_objects", lambda uri, after, access: reversed(list(real(uri, after, access))))
    with pytest.raises(StoreError, match="is not sorted by key"):
        ingest(work, source, FIRST)
