"""How a commit is divided into shards."""

from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.corpus import Segment
from gem_tasks.pipeline.ingest.shard_sizes import characters, divided, is_full
from gem_tasks.settings import Settings


def cut(count, text="x"):
    return [
        Segment(segment_id=str(number), document_id="d", document_uri="u", start=0, end=len(text), tokens=1, text=text)
        for number in range(count)
    ]


def sizes(count, text="x", **settings):
    return [len(part) for part in divided(cut(count, text), Settings(_env_file=None, **settings))]


def test_bulk_is_divided_among_all_tasks():
    assert sizes(6_000) == [1_500] * 4
    assert sizes(6_000, llm_slots=16) == [375] * 16


def test_a_trickle_has_few_shards():
    assert sizes(150) == [150]
    assert sizes(300) == [150, 150]
    assert sizes(0) == []


def test_no_shard_exceeds_the_setting():
    assert sizes(10_000) == [2_000] * 5
    assert sizes(10, shard_segments=4) == [3, 3, 4]


def test_long_texts_make_more_shards():
    assert len(sizes(40, text="x" * 1_000_000)) == 3


@given(st.integers(0, 1_000), st.integers(1, 300), st.integers(1, 40))
def test_every_segment_is_in_one_shard(count, most, slots):
    given = cut(count)
    parts = list(divided(given, Settings(_env_file=None, shard_segments=most, llm_slots=slots)))
    assert [segment for part in parts for segment in part] == given
    assert all(0 < len(part) <= most for part in parts)
    assert max(map(len, parts), default=0) - min(map(len, parts), default=0) <= 1


def test_a_commit_is_full_by_number_or_by_length():
    settings = Settings(_env_file=None, shard_segments=10, llm_slots=2)
    assert not is_full(19, 0, settings)
    assert is_full(20, 0, settings)
    assert is_full(1, characters(cut(32, "x" * 1_000_000)), settings)
