"""The codec of shards: nothing is lost, equal input gives equal bytes, the columns are frozen."""

import io
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.outcome import Cost, Outcome, OutcomeKind
from gem_tasks.errors import ErrorClass, StoreError
from gem_tasks.store import shards

COUNTS = st.integers(0, 2**53)
# Everything Parquet can hold: all of Unicode but surrogates, so NUL, emoji and direction marks too.
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
SEGMENTS = st.builds(
    Segment, segment_id=TEXTS, document_id=TEXTS, document_uri=TEXTS, title=st.none() | TEXTS,
    license=st.none() | TEXTS, language=st.none() | TEXTS, start=COUNTS, end=COUNTS, tokens=COUNTS, text=TEXTS,
)  # fmt: skip
OUTCOMES = st.builds(
    Outcome, segment_id=TEXTS, kind=st.sampled_from(get_args(OutcomeKind)), reason=st.none() | TEXTS,
    error_class=st.none() | st.sampled_from(ErrorClass), detail=TEXTS, payload=st.none() | TEXTS,
    raw=st.none() | TEXTS, thoughts=st.none() | TEXTS,
    cost=st.builds(
        Cost, calls=COUNTS, latency_s=st.floats(0, 1e9), usd=st.none() | st.floats(0, 1e9),
        faults=st.dictionaries(st.sampled_from(ErrorClass), COUNTS, max_size=3),
        usage=st.builds(
            Usage, prompt_tokens=COUNTS, cached_tokens=COUNTS, completion_tokens=COUNTS, reasoning_tokens=COUNTS
        ),
    ),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(SEGMENTS, max_size=5))
def test_segments_come_back_as_they_were_and_in_order(segments):
    assert list(shards.decode_segments(shards.encode_segments(segments))) == segments


@settings(max_examples=40)
@given(st.lists(OUTCOMES, max_size=5))
def test_outcomes_come_back_as_they_were_and_encode_to_the_same_bytes(outcomes):
    data = shards.encode_outcomes(outcomes)
    assert list(shards.decode_outcomes(data)) == outcomes
    assert shards.encode_outcomes([outcome.model_copy() for outcome in outcomes]) == data


def test_a_lone_surrogate_in_an_answer_does_not_cost_the_shard():
    broken = Outcome(segment_id="a", kind="failed", error_class=ErrorClass.MALFORMED, raw="half \ud83d of it")
    sound = Outcome(segment_id="b", kind="accepted", payload="{}")
    assert list(shards.decode_outcomes(shards.encode_outcomes([broken, sound]))) == [
        broken.model_copy(update={"raw": "half \ufffd of it"}),
        sound,
    ]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"not parquet at all", b"PAR1" + bytes(40) + b"PAR1"])
def test_bytes_that_are_no_shard_are_a_store_error(data):
    with pytest.raises(StoreError, match="damaged"):
        list(shards.decode_outcomes(data))
    with pytest.raises(StoreError, match="damaged"):
        list(shards.decode_segments(data))


def test_a_truncated_shard_is_a_store_error():
    whole = shards.encode_outcomes([Outcome(segment_id="a", kind="accepted", payload="{}" * 500)])
    with pytest.raises(StoreError, match="damaged"):
        list(shards.decode_outcomes(whole[: len(whole) // 2]))


FIRST_COLUMNS = (
    "segment_id kind reason error_class detail payload raw calls prompt_tokens cached_tokens completion_tokens"
    " latency_s"
).split()


def test_shards_of_the_first_version_can_still_be_read():
    outcome = Outcome(segment_id="a", kind="accepted", payload="{}", cost=Cost(calls=2, usage=Usage(prompt_tokens=3)))
    sink = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(shards.encode_outcomes([outcome]))).select(FIRST_COLUMNS), sink)
    assert list(shards.decode_outcomes(sink.getvalue())) == [outcome]
    fresh = Outcome(segment_id="b", kind="rejected", reason="r")
    added = shards.add_outcomes(sink.getvalue(), {"a"}, [fresh])
    assert list(shards.decode_outcomes(added)) == [outcome, fresh]
    assert list(shards.decode_outcomes(shards.add_outcomes(sink.getvalue(), set(), [fresh]))) == [fresh]


def test_the_columns_are_those_that_stored_shards_have():
    """Changing them makes what is stored unreadable for other versions: columns may only be added, with a default."""
    text, count, real = pa.string(), pa.int64(), pa.float64()
    expected = {
        "segment_id": text, "kind": text, "reason": text, "error_class": text, "detail": text, "payload": text,
        "raw": text, "calls": count, "prompt_tokens": count, "cached_tokens": count, "completion_tokens": count,
        "reasoning_tokens": count, "latency_s": real, "faults": text, "usd": real,
        "thoughts": text,
    }  # fmt: skip
    stored = pq.read_schema(io.BytesIO(shards.encode_outcomes([])))
    assert dict(zip(stored.names, stored.types, strict=True)) == expected
    assert pq.read_schema(io.BytesIO(shards.encode_segments([]))).names == list(Segment.model_fields)
