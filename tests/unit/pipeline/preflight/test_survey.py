"""What a run would find in a folder: counted and drawn without writing anything."""

from types import SimpleNamespace

import pytest

from gem_tasks.domain.corpus import RawDocument, Source
from gem_tasks.errors import UserError
from gem_tasks.pipeline.preflight import survey as module
from gem_tasks.pipeline.preflight.survey import survey
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from gem_tasks.store.local import LocalStore


class Rows:
    """What is known already: document ids, hashes of texts, and registered sources."""

    def __init__(self, known=(), owned=(), sources=()):
        self.known, self.owned, self.rows = {*known}, {*owned}, sources
        self.ingestion = self.sources = self.near_duplicates = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def all(self):
        return self.rows

    def known_documents(self, ids):
        return {id_: False for id_ in ids if id_ in self.known}

    def first_with_hash(self, hashes):
        return {each: "another" for each in hashes if each in self.owned}

    def candidates(self, bands, numbers):
        return []


@pytest.fixture
def surveyed(tmp_path):
    """As `(texts by name, size, ...) -> Survey`."""

    def make(texts, size=100, rows=None, limit=None, seed=0, **settings):
        folder = tmp_path / "corpus"
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        found = rows or Rows()

        class Offline(Workspace):
            def ledger(self):
                return found

        made = Settings(home=tmp_path, segment_target_tokens=80, segment_max_tokens=160, **settings)
        work = Offline(settings=made, store=LocalStore(tmp_path / "store"), chain=Chain(made))
        told = []
        source = Source(uri=folder.as_uri(), limit=limit)
        result = survey(work, source, size, seed, told.append)
        assert told == sorted(told)
        return result

    return make


def story(word, sentences=30):
    return " ".join(f"{word}{number} follows {word}{number * 3} to the {word} house." for number in range(sentences))


STORIES = {f"{word}.txt": story(word) for word in ("ant", "bee", "cat", "dog")}


def test_every_document_counts_once_as_what_it_is(surveyed, tmp_path):
    found = surveyed(STORIES | {"again.txt": STORIES["ant.txt"], "empty.txt": ""})
    assert (found.documents, found.known, found.unusable) == (6, 0, 2)
    assert found.texts == len(found.sample) > 4
    assert {segment.document_uri.rpartition("/")[2] for segment in found.sample} == {
        "again.txt", "bee.txt", "cat.txt", "dog.txt"
    }, "the first of two equal texts is the one that is asked about"  # fmt: skip


def test_what_an_earlier_run_has_read_costs_nothing(surveyed):
    before = surveyed(STORIES)
    bee = next(segment for segment in before.sample if segment.document_uri.endswith("bee.txt"))
    found = surveyed(STORIES, rows=Rows(known=[bee.document_id]))
    assert (found.documents, found.known, found.unusable) == (4, 1, 0)
    assert found.texts == before.texts - sum(each.document_id == bee.document_id for each in before.sample)


def test_a_near_duplicate_is_counted_and_not_drawn(surveyed):
    found = surveyed(STORIES | {"bees.txt": STORIES["bee.txt"].replace("bee0 ", "wasp ")}, near_duplicate=0.5)
    assert found.near_duplicates > 0
    assert surveyed(STORIES, near_duplicate=0).near_duplicates == 0


def test_a_larger_sample_contains_the_smaller_one_and_another_seed_draws_another(surveyed):
    everything = surveyed(STORIES).sample
    for size in (1, 3, 5):
        assert surveyed(STORIES, size).sample == everything[:size]
    assert surveyed(STORIES, 5, seed=1).sample != everything[:5]


def test_the_limit_of_the_run_wins_over_the_registered_one(surveyed, tmp_path):
    uri = (tmp_path / "corpus").as_uri()
    rows = Rows(sources=[SimpleNamespace(uri=uri, source=Source(uri=uri, limit=2))])
    assert [
        (found.documents, found.limit)
        for found in (surveyed(STORIES, rows=rows, limit=limit) for limit in (None, 3, 0))
    ] == [(2, 2), (3, 3), (4, None)]


def test_a_source_outside_the_allowed_roots_is_refused(surveyed, tmp_path):
    with pytest.raises(UserError):
        surveyed(STORIES, source_roots=f"{tmp_path}/elsewhere")


def test_batches_hold_a_bounded_number_of_documents_and_characters():
    def sizes(*lengths):
        raws = (RawDocument(uri="file:///a", etag="1", text="x" * length) for length in lengths)
        return [len(batch) for batch in module._batched(raws)]

    assert sizes(*[1] * 300) == [128, 128, 44]
    assert sizes(1_500_000, 600_000, 1) == [2, 1]
    assert sizes() == []
