"""A line of Anthropic's results: an answer, a fault of its class, nothing that was asked, or no line at all."""

import json

import pytest

from gem_tasks.domain.chat import Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.batch.anthropic import AnthropicBatches, read_line
from gem_tasks.llm.batch.client import BatchClient
from gem_tasks.llm.batch.gemini import GeminiBatches
from gem_tasks.llm.batch.registry import batches_at


def line(result):
    return json.dumps({"custom_id": "seg_1", "result": result}).encode()


def test_an_answer_is_a_completion_of_the_request_that_was_asked():
    message = {
        "id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Yes"}], "usage": {"input_tokens": 5, "output_tokens": 1},
    }  # fmt: skip
    found = read_line(line({"type": "succeeded", "message": message}))
    assert found.custom_id == "seg.1"
    assert isinstance(found[1], Completion)
    assert found[1].text == "Yes"


@pytest.mark.parametrize(
    ("result", "error_class"),
    [
        ({"type": "expired"}, ErrorClass.TIMEOUT),
        ({"type": "errored", "error": {"error": {"type": "overloaded_error"}}}, ErrorClass.SERVER_ERROR),
        ({"type": "errored", "error": {"type": "invalid_request_error"}}, ErrorClass.BAD_REQUEST),
        ({"type": "errored"}, ErrorClass.SERVER_ERROR),
    ],
)
def test_a_fault_has_its_class(result, error_class):
    found = read_line(line(result))
    assert isinstance(found[1], EndpointError)
    assert found[1].error_class is error_class


def test_what_was_cancelled_is_to_be_asked_again():
    assert read_line(line({"type": "canceled"}))[1] is None


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"{", b'{"custom_id": 1, "result": {}}', b"[" * 100_000])
def test_what_is_no_line_is_none(text):
    assert read_line(text) is None


def test_an_endpoints_batches_are_spoken_to_in_its_own_way():
    assert batches_at("https://api.anthropic.com/v1", None) is AnthropicBatches
    assert batches_at("https://gateway.example/v1", "anthropic") is AnthropicBatches
    assert batches_at("https://generativelanguage.googleapis.com/v1beta/openai", None) is GeminiBatches
    assert batches_at("http://127.0.0.1:8000/v1", None) is BatchClient
