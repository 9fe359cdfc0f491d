"""A listing beside what is recorded of the source: what is new, what is missing, and what may be retired."""

import pytest

from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.errors import StoreError, UserError
from gem_tasks.lineage import Registered, Settled
from gem_tasks.lineage.sources import ListedObject, SourceExtent
from gem_tasks.pipeline.ingest import scan as module
from gem_tasks.pipeline.ingest.scan import Scan


class Records:
    """What is recorded of a source, by key: etag, documents, and whether an earlier scan missed it."""

    def __init__(self, **known):
        self.known = {f"file:///s/{name}": row for name, row in known.items()}
        self.missing, self.back, self.positions = [], [], []
        self.left = SourceExtent(known=len(known), documents=0, missing=0, example=None)
        self.sources = self.versions = self

    def compare_objects(self, source_id, keys, etags):
        return [
            ListedObject(
                key=key, same=self.known[key][0] == etag, missing=self.known[key][2], documents=self.known[key][1]
            )
            for key, etag in zip(keys, etags, strict=True)
            if key in self.known
        ]

    def mark_missing(self, source_id, after, until, seen, closed):
        self.missing.append((after, until, [*seen], [*closed]))

    def found_again(self, source_id, keys):
        self.back += keys

    def scan_position(self, source_id, position):
        self.positions.append(position)

    def known_objects(self, source_id):
        return self.left

    def last_object(self, source_id):
        return max(self.known, default="")

    def retire_missing(self, source_id):
        return Settled(gone=self.left.missing)


def listed(name, etag="1", **changes):
    values = {
        "uri": f"file:///s/{name}", "etag": etag, "size": 1, "media_type": "text/plain", "compression": "", "open": None
    }  # fmt: skip
    return SourceObject(**{**values, **changes})


@pytest.fixture
def scanned(monkeypatch):
    def make(records, listing, after=""):
        def objects(uri, position, access):
            if isinstance(listing, Exception):
                raise listing
            yield from listing

        monkeypatch.setattr(module, "list_objects", objects)
        monkeypatch.setattr(module, "inside", lambda found, roots: True)
        source = Registered(uri="file:///s", source_id=1, kind="files", enabled=True, scan_position=after)
        return Scan(records, source)

    return make


def test_what_is_new_or_changed_is_yielded_and_what_it_held_before_is_known(scanned):
    records = Records(a=("1", 2, False), b=("1", 3, False), c=("1", None, False), d=("1", 4, True))
    scan = scanned(records, [listed("a"), listed("b", "2"), listed("c", "2"), listed("d"), listed("e")])
    (piece,) = scan.pieces()
    assert [found.uri[-1] for found in piece] == ["b", "c", "e"]
    assert scan.earlier == {"file:///s/b": 3}, "c was gone: it held nothing"
    assert (scan.listed, scan.unchanged, scan.position) == (5, 6, "file:///s/e")
    assert records.back == ["file:///s/d"]


def test_pieces_follow_each_other_without_a_gap(scanned, monkeypatch):
    monkeypatch.setattr(module, "_PIECE", 2)
    records = Records()
    scan = scanned(records, [listed(name) for name in "abc"], after="file:///s/0")
    assert [len(piece) for piece in scan.pieces()] == [2, 1]
    assert [until and (after[-1], until[-1]) for after, until, _, _ in records.missing] == [("0", "b"), ("b", "c")]


def test_a_name_listed_twice_counts_once_and_a_listing_out_of_order_is_refused(scanned, caplog):
    scan = scanned(Records(), [listed("a"), listed("a", "2"), listed("b")])
    ((first, second),) = scan.pieces()
    assert (first.etag, second.uri, scan.listed) == ("1", "file:///s/b", 2)
    assert "is listed twice" in caplog.text
    with pytest.raises(StoreError, match="not sorted by key: file:///s/a comes too late"):
        list(scanned(Records(), [listed("b"), listed("a")]).pieces())


def test_a_key_that_is_no_text_has_no_place_in_the_order_but_is_not_missing(scanned):
    records = Records()
    scan = scanned(records, [listed("a"), listed("\ufffd", remote=True), listed("b")])
    list(scan.pieces())
    assert scan.position == "file:///s/b"
    scan.finish(accept_vanished=False)
    assert records.missing[-1] == ("file:///s/b", None, ["file:///s/\ufffd"], [])


def test_what_cannot_be_looked_into_is_handed_on_as_closed(scanned):
    records = Records()
    scan = scanned(records, [listed("a", media_type="inode/directory"), listed("b")])
    list(scan.pieces())
    assert records.missing[-1][3] == ["file:///s/a"]


def test_the_listing_is_past_what_is_known_once_it_has_passed_the_last_object(scanned):
    scan = scanned(Records(b=("1", 1, False)), [listed("a")])
    list(scan.pieces())
    assert not scan.beyond_known
    scan = scanned(Records(b=("1", 1, False)), [listed("b")])
    list(scan.pieces())
    assert scan.beyond_known


@pytest.mark.parametrize(
    ("known", "missing", "asks"),
    [
        (100, 10, False),
        (100, 11, False),
        (100, 21, True),
        (20, 11, True),
        (11, 10, False),
        (3, 3, True),
        (60, 12, False),
    ],
)
def test_a_few_are_retired_and_a_mass_asks_first(scanned, known, missing, asks):
    records = Records()
    records.left = SourceExtent(known=known, documents=known, missing=missing, example="file:///s/x")
    scan = scanned(records, [])
    if asks:
        with pytest.raises(
            UserError, match=rf"{missing} of {known} objects of file:///s have vanished, such as file:///s/x"
        ):
            scan.finish(accept_vanished=False)
    assert scan.finish(accept_vanished=asks) == Settled(gone=missing)


def test_only_a_listing_that_ended_gives_its_position_up(scanned):
    records = Records(a=("1", 1, False))
    assert scanned(records, []).finish(accept_vanished=False, whole=False) == Settled()
    assert records.positions == []
    scanned(records, []).finish(accept_vanished=False)
    assert records.positions == [""]


def test_an_empty_source_is_an_error_unless_all_of_it_vanished(scanned):
    empty = module.EmptySourceError("Nothing in file:///s can be read", "Add a file.")
    with pytest.raises(UserError, match="Nothing in"):
        list(scanned(Records(), empty).pieces())
    assert list(scanned(Records(a=("1", 1, False)), empty).pieces()) == []
