"""Input files keep the API's limits; every line that comes back is an answer, an error, or nothing."""

import json

import pytest

from gem_tasks.domain.chat import Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.batch.file import Line, line, read_line, split


def lines(count, size=10):
    return [(f"id-{number}", b"x" * (size - 1) + b"\n") for number in range(count)]


def test_a_line_is_a_request_as_the_api_wants_it():
    data = json.loads(line('odd "id"', b'{"model":"m"}'))
    assert data == {"custom_id": 'odd "id"', "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m"}}


@pytest.mark.parametrize(
    ("count", "limits", "sizes"),
    [
        (0, {}, []),
        (3, {}, [3]),
        (4, {"max_requests": 2}, [2, 2]),
        (5, {"max_requests": 2}, [2, 2, 1]),
        (5, {"max_bytes": 20}, [2, 2, 1]),
        (2, {"max_bytes": 5}, [1, 1]),
    ],
)
def test_files_are_split_at_the_limits(tmp_path, count, limits, sizes):
    parts = list(split(lines(count), tmp_path, **limits))
    assert [len(part.custom_ids) for part in parts] == sizes
    assert [name for part in parts for name in part.custom_ids] == [name for name, _ in lines(count)]
    for part in parts:
        assert part.path.read_bytes() == b"".join(text for _, text in lines(len(part.custom_ids)))


def answer(**changes):
    body = {"model": "m", "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}
    data = {"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None, **changes}
    return json.dumps(data).encode()


def test_an_answer_is_a_completion():
    found = read_line(answer())
    assert isinstance(found.result, Completion)
    assert (found.custom_id, found.result.text) == ("a", "fine")


@pytest.mark.parametrize(
    ("changes", "error_class"),
    [
        ({"response": {"status_code": 429, "body": {}}}, ErrorClass.RATE_LIMITED),
        ({"response": {"status_code": 400, "body": {"error": {"message": "no"}}}}, ErrorClass.BAD_REQUEST),
        ({"response": {"status_code": 200, "body": {"choices": []}}}, ErrorClass.SERVER_ERROR),
        ({"response": None, "error": {"code": "batch_expired"}}, ErrorClass.TIMEOUT),
        ({"response": None, "error": {"code": "odd"}}, ErrorClass.SERVER_ERROR),
        ({"response": None}, ErrorClass.SERVER_ERROR),
    ],
)
def test_what_brought_no_answer_has_a_class(changes, error_class):
    found = read_line(answer(**changes)).result
    assert isinstance(found, EndpointError)
    assert found.error_class is error_class


def test_what_was_cancelled_was_never_asked():
    assert read_line(answer(response=None, error={"code": "batch_cancelled"})) == Line("a", None)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"custom_id": 7}', b'{"custom_id": "a", "response": 3}'])
def test_what_is_no_line_is_none(text):
    assert read_line(text) is None
