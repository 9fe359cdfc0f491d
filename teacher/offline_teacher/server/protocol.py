"""The OpenAI protocol's bodies: what a chat completion request must hold, and how answers and errors are written."""

import time
from math import ceil
from typing import Any, NamedTuple, cast

MODEL = "offline-rules"
Messages = list[tuple[str, str]]
_CHARS_PER_TOKEN = 4
_UNLIMITED = 1_000_000


class Refused(Exception):
    """A request that gets an error: its HTTP status and the fields of the error object."""

    def __init__(self, status: int, message: str, code: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers

    @property
    def body(self) -> dict[str, Any]:
        """The error object."""
        kind = (
            "server_error" if self.status >= 500
            else "rate_limit_error" if self.status == 429
            else "invalid_request_error"
        )  # fmt: skip
        return {"error": {"message": self.message, "type": kind, "param": None, "code": self.code}}


class Said(NamedTuple):
    """What an answer says in the end."""

    text: str | None
    finish_reason: str = "stop"
    refusal: str | None = None


class Question(NamedTuple):
    """What a chat completion request asks."""

    messages: Messages
    limit: int
    """Characters the answer may have."""


def question(body: Any) -> Question:
    """Reads a request.

    Raises:
        Refused: it is none, or asks for what is not there.
    """
    try:
        model, messages, limit = body.get("model"), _messages(body["messages"]), _limit(body)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise not_a_request(error) from error
    if model != MODEL:
        raise Refused(404, f"The model {model!r:.100} does not exist; there is {MODEL!r}", "model_not_found")
    if body.get("stream"):
        raise Refused(400, f"{MODEL} does not stream", "unsupported_parameter")
    if body.get("tools"):
        raise Refused(400, f"{MODEL} does not support the parameter `tools`", "unsupported_parameter")
    return Question(messages, limit)


def not_a_request(error: Exception) -> Refused:
    """A body that cannot be read as a request."""
    return Refused(400, f"The body must be a chat completion request: {error!r:.200}", "invalid_request")


def completion(messages: Messages, said: Said) -> dict[str, Any]:
    """The chat completion object."""
    prompt = ceil(sum(len(content) for _, content in messages) / _CHARS_PER_TOKEN)
    tokens = ceil(len(said.text or said.refusal or "") / _CHARS_PER_TOKEN)
    message = {"role": "assistant", "content": said.text, "refusal": said.refusal}
    return {
        "id": f"chatcmpl-{time.time_ns():x}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": said.finish_reason, "logprobs": None}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens},
    }


def _messages(given: Any) -> Messages:
    """`(role, text)` of each message; content is a string or a list of text parts.

    Raises:
        ValueError, TypeError, KeyError: it is something else.
    """
    if not isinstance(given, list) or not given:
        raise ValueError("messages must be a list with at least one message")
    return [(str(message["role"]), _text(message.get("content"))) for message in cast("list[Any]", given)]


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(str(part["text"]) for part in content if part["type"] == "text")


def _limit(body: dict[str, Any]) -> int:
    """Characters the answer may have.

    Raises:
        ValueError: the limit is not a positive whole number.
    """
    tokens = body.get("max_completion_tokens") or body.get("max_tokens") or _UNLIMITED
    if not isinstance(tokens, int) or tokens < 1:
        raise ValueError("max_tokens must be a positive whole number")
    return tokens * _CHARS_PER_TOKEN
