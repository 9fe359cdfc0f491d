"""Which segments repeat an earlier one: of the batch, of the batches before it, or of any partition."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.near import signatures
from gem_tasks.lineage.near_duplicates import SharedBand
from gem_tasks.pipeline.ingest.near_duplicates import mark
from tests.factories import make_segment

ANTS = "Ants carry leaves along a narrow path to the nest, where fungus grows on them and feeds the whole colony."
BEES = "A swarm leaves the hive with its old queen and hangs in a tree until the scouts agree on a hollow trunk."


def marked(texts, stored=(), threshold=0.8, met=None, uris=None):
    """The texts as segments of documents 1, 2, …; `stored` is (number of the text, id, document, uri, text)."""
    segments = [make_segment(text, number) for number, text in enumerate(texts, start=1)]
    if uris:
        segments = [each.model_copy(update={"document_uri": uri}) for each, uri in zip(segments, uris, strict=True)]
    rows = [
        SharedBand(number, of, document, uri, signatures([text])[0].digest)
        for number, of, document, uri, text in stored
    ]
    ledger = SimpleNamespace(near_duplicates=SimpleNamespace(candidates=lambda bands, numbers: rows))
    return segments, mark(ledger, segments, signatures(texts), threshold, met)


def test_a_text_that_repeats_one_before_it_is_marked_and_only_the_first_has_a_signature():
    segments, found = marked([ANTS, BEES, ANTS])
    first, other, again = (each.segment_id for each in segments)
    assert found.duplicates == {again: (first, 1.0)}
    assert [each.near_duplicate_of for each in found.segments] == [None, None, first]
    assert list(found.signatures) == [first, other]


def test_the_most_similar_stored_text_is_named_and_the_first_by_id_among_equals():
    near = ANTS.replace("colony", "city")
    stored = [
        (0, "near", "d7", "file:///7", near),
        (0, "z", "d8", "file:///8", ANTS),
        (0, "b", "d9", "file:///9", ANTS),
    ]
    segments, found = marked([ANTS], stored)
    assert found.duplicates == {segments[0].segment_id: ("b", 1.0)}


def test_below_the_threshold_nothing_is_repeated():
    _, found = marked([ANTS], [(0, "a", "d7", "file:///7", BEES)])
    assert found.duplicates == {}


def test_another_version_of_a_document_is_replaced_and_repeats_nothing():
    segments, found = marked([ANTS], [(0, "old", "another", "file:///doc1.md", ANTS)])
    assert found.duplicates == {}
    _, found = marked([ANTS], [(0, "same", segments[0].document_id, "file:///doc1.md", ANTS)])
    assert found.duplicates == {segments[0].segment_id: ("same", 1.0)}, "two segments of one text"


def test_batches_that_are_not_recorded_are_remembered_by_who_asks():
    met = {}
    marked([ANTS], met=met)
    _, found = marked([BEES, ANTS], met=met, uris=["file:///x", "file:///y"])
    assert [each.near_duplicate_of for each in found.segments] == [None, make_segment(ANTS, 1).segment_id]


def test_without_a_threshold_nothing_is_searched_for():
    segments, found = marked([ANTS, ANTS], threshold=0)
    assert (found.segments, found.signatures, found.duplicates) == (segments, {}, {})
    assert marked([], threshold=0.8)[1].segments == []


@given(st.lists(st.sampled_from([ANTS, BEES, ANTS + BEES, "short"]), max_size=8))
def test_each_text_is_kept_once(texts):
    segments, found = marked(texts)
    assert [each.segment_id for each in found.segments] == [each.segment_id for each in segments]
    assert len(found.signatures) == len(set(texts))
    assert found.signatures.keys() | found.duplicates.keys() == {each.segment_id for each in segments}
    assert {of for of, _ in found.duplicates.values()} <= found.signatures.keys()
