"""Files and states of batches: lines of any length and cut anywhere, and what an endpoint says of a batch."""

import asyncio
from itertools import pairwise

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import APIStatusError

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion, Sampling, Usage
from gem_tasks.errors import Complaint, EndpointError, ErrorClass, UserError
from gem_tasks.llm.apis.registry import APIS
from gem_tasks.llm.batch import protocol
from gem_tasks.llm.batch.client import _state
from gem_tasks.llm.batch.dialects import BatchDialects
from gem_tasks.llm.batch.protocol import result_lines, translated_errors
from gem_tasks.llm.dialects.dialect import PLAIN, Dialect, shape_of
from gem_tasks.llm.dialects.memory import Memory
from gem_tasks.store.local import LocalStore

URL = "http://h/v1"


async def stream(pieces):
    for piece in pieces:
        yield piece


def lines_of(*pieces):
    async def collect():
        return [line async for line in result_lines(stream(pieces))]

    return asyncio.run(collect())


@given(st.lists(st.text("ab\u2028\r é", max_size=6), min_size=1), st.lists(st.integers(0, 60), max_size=6))
def test_lines_are_the_same_wherever_the_stream_is_cut(lines, cuts):
    whole = "\n".join(lines).encode()
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:end] for start, end in pairwise(places)]
    assert lines_of(*pieces) == [line.encode() for line in lines]


def test_of_an_overlong_line_only_enough_is_kept_to_recognise_it(monkeypatch):
    monkeypatch.setattr(protocol, "MAX_JSON_BYTES", 10)
    long, short = lines_of(b"x" * 8, b"x" * 8, b"x" * 8 + b"\nshort")
    assert len(long) <= 11 + 8
    assert len(long) > 10
    assert short == b"short"


def test_far_more_lines_than_requests_are_a_fault(monkeypatch):
    monkeypatch.setattr(protocol, "_MOST_LINES", 3)
    assert len(lines_of(b"1\n2\n3\n")) == 4
    with pytest.raises(EndpointError, match="results of more than 3 lines"):
        lines_of(b"1\n2\n", b"3\n4\n")


def told(**changes):
    values = {
        "id": "b", "completion_window": "24h", "created_at": 1, "endpoint": "/v1/chat/completions",
        "input_file_id": "in", "object": "batch", "status": "completed", **changes,
    }  # fmt: skip
    return _state(values)


def test_a_state_has_what_the_endpoint_says_and_nothing_else():
    bare = told(status="in_progress")
    assert (bare.ended, bare.total, bare.files, bare.code, bare.error) == (False, 0, (), "", "")
    counts = {"total": 3, "completed": 2, "failed": 1}
    full = told(request_counts=counts, output_file_id="out", error_file_id="err")
    assert (full.ended, full.total, full.completed, full.failed, full.files) == (True, 3, 2, 1, ("out", "err"))
    error = {"code": "invalid_json", "message": "no JSON", "line": 7}
    failed = told(status="failed", errors={"data": [error], "object": "list"})
    assert (failed.code, failed.error) == ("invalid_json", "line 7: no JSON")
    odd = told(status="failed", errors={"data": [{"message": "no reason"}], "object": "list"})
    assert (odd.code, odd.error) == ("", "no reason")


def refused(status):
    request = httpx2.Request("POST", f"{URL}/batches")
    return APIStatusError("sorry", response=httpx2.Response(status, request=request), body={"message": "sorry"})


@pytest.mark.parametrize(
    ("status", "sure", "raised", "said"),
    [
        (404, False, UserError, "http://h/v1 has no Batch API (404 for /v1/batches)"),
        (501, False, UserError, "has no Batch API"),
        (400, False, UserError, "http://h/v1 refuses the batch: "),
        (422, False, UserError, "refuses the batch"),
        (404, True, EndpointError, ""),
        (400, True, EndpointError, ""),
        (500, False, EndpointError, ""),
    ],
)
def test_only_the_first_steps_show_whether_there_is_a_batch_api(status, sure, raised, said):
    with pytest.raises(raised) as error, translated_errors(URL, sure=sure):
        raise refused(status)
    assert said in str(error.value)


def request(**sampling):
    asked = Sampling(**{"max_tokens": 100, **sampling})
    return ChatRequest(model="m", messages=(ChatMessage(role="user", content="a text"),), sampling=asked)


def dialects(store=None, preset=PLAIN, window=None):
    return BatchDialects(Memory(store, URL), lambda model: preset, APIS["openai"], window)


def complaint(param):
    error = EndpointError(ErrorClass.BAD_REQUEST, "no")
    error.complaint = Complaint(message=f"{param} is not supported", param=param)
    return error


def test_a_complaint_of_one_batch_changes_the_next_and_is_kept_apart_from_what_calls_learned(tmp_path):
    store = LocalStore(tmp_path)
    spoken = dialects(store)
    asked = request(temperature=0.5)
    assert b"temperature" in spoken.body(asked)
    assert spoken.takes(asked, complaint("temperature"))
    assert b"temperature" not in spoken.body(asked)
    assert not spoken.takes(asked, complaint("unheard_of"))
    spoken.remember()
    assert b"temperature" not in dialects(store).body(asked)
    assert Memory(store, URL).recall("m", PLAIN).dialect == PLAIN, "online requests never use a guess of a batch"


def test_thinking_makes_room_and_more_where_it_used_up_the_limit():
    spoken = dialects()
    asked = request()
    spoken.answered(asked, Completion(text="yes", finish_reason="stop", usage=Usage(reasoning_tokens=100)))
    assert spoken.limit_of(asked) == 100 + 256
    eaten = dialects()
    eaten.answered(asked, Completion(text=" ", finish_reason="length", usage=Usage()))
    assert eaten.limit_of(asked) > 1000
    plain = dialects()
    plain.answered(asked, Completion(text="a long", finish_reason="length", usage=Usage()))
    assert plain.limit_of(asked) == 100, "only a long answer"


def test_a_batch_never_streams_and_keeps_to_the_window():
    spoken = dialects(preset=Dialect(stream=True, room=100_000), window=2000)
    assert b'"stream"' not in spoken.body(request())
    assert spoken.limit_of(request()) < 2000


def test_a_schema_goes_only_to_a_model_that_is_known_to_take_it(tmp_path):
    asked = request().model_copy(update={"answer_schema": {"type": "object", "properties": {}}})
    assert b"json_schema" not in dialects().body(asked)
    store = LocalStore(tmp_path)
    Memory(store, URL).learned("m", PLAIN, PLAIN, shape_of(asked, PLAIN), "m")
    assert b"json_schema" in dialects(store).body(asked)


def test_wrong_token_counts_are_told_with_what_was_learned(tmp_path, caplog):
    spoken = dialects(LocalStore(tmp_path))
    for _ in range(20):
        spoken.answered(request(), Completion(text="yes", finish_reason="stop", usage=Usage(), usage_fault="missing"))
    spoken.remember()
    spoken.remember()
    assert caplog.text.count("token counts of m at http://h/v1 are not reported") == 1
