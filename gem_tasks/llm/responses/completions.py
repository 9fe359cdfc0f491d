"""Reads chat completions as endpoints really send them: fields may be missing, null, of another type, or in pieces."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

from pydantic_core import from_json

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import Completion, FunctionCall
from gem_tasks.errors import Complaint, EndpointError, ErrorClass
from gem_tasks.llm.bounds import MAX_ANSWER_CHARS, MAX_JSON_BYTES, bounded_json
from gem_tasks.llm.responses.classify import from_complaint
from gem_tasks.llm.responses.envelope import complaint_of
from gem_tasks.llm.responses.events import EVENTS, collect, words
from gem_tasks.llm.responses.thoughts import split_thoughts
from gem_tasks.llm.usage.counts import read_usage
from gem_tasks.redaction import beginning

UNREADABLE = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError)
"""Exceptions that reading an odd answer may raise."""
_CUT_OFF = frozenset({"max_tokens", "model_length", "model_context_window_exceeded"})
_DECLINED = frozenset({"sensitive", "safety", "recitation", "refusal", "prohibited_content", "blocklist"})
_BROKEN = frozenset({"error", "network_error", "insufficient_system_resource", "aborted"})
_COMMENTS = re.compile(rb"\s*+(?::[^\n]*+(?:\n\s*+|\Z))*")
_STATUS = re.compile(r"[45][0-9]{2}")
_SENT_BACK = ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")
"""Fields of a message that some endpoints want back (DeepSeek, Kimi, OpenRouter, LiteLLM), or only accept."""
_WORD_CHARS = 200
"""Longest name of a model or similar."""


def read_completion(body: bytes, latency_s: float, parse: Callable[[bytes], Any] | None = None) -> Completion:
    """Reads the completion in the body of a 200 reply.

    Args:
        body: body as received.
        latency_s: seconds until it arrived.
        parse: returns a chat completion object; by default the body is one.

    Raises:
        EndpointError: the body has no completion, or an error.
    """
    try:
        return completion((parse or _whole)(body), latency_s)
    except UNREADABLE as error:
        start = beginning(body[:20_000].decode("utf-8", "replace"), 100)
        detail = f"unusable answer ({type(error).__name__}): {start!r}"
        raise EndpointError(ErrorClass.SERVER_ERROR, detail) from error


def read_failed(body: bytes, latency_s: float) -> Completion | None:
    """Text that the endpoint rejected as invalid JSON and sent in a 400 (Groq); None for any other body."""
    if b"failed_generation" not in body:
        return None
    try:
        written: Any = parsed(body)["error"]["failed_generation"]
    except UNREADABLE:
        return None
    if not isinstance(written, str):
        return None
    return Completion(text=_storable(written[:MAX_ANSWER_CHARS]), finish_reason="stop", latency_s=latency_s)


def _whole(body: bytes) -> Any:
    """The object, joined if it was sent in pieces."""
    if not body[:64].lstrip().startswith(EVENTS):
        return parsed(body)
    start = _COMMENTS.match(body).end()  # pyright: ignore[reportOptionalMemberAccess] - it may be empty
    return parsed(body[start:]) if body.startswith(b"{", start) else collect(body)


def parsed(body: bytes, most: int = MAX_JSON_BYTES) -> Any:
    """Parses with the fast parser; Python's parser takes what that rejects (half a character, UTF-16).

    Raises:
        ValueError: it is not JSON, or too large; Python's parser needs a second copy and gets no more than the usual
            size.
    """
    text = bounded_json(body, most)
    try:
        return from_json(text)
    except ValueError:
        return json.loads(bounded_json(text))


def completion(answer: Any, latency_s: float = 0.0) -> Completion:
    """Reads a parsed chat completion object, also from the body of a batch's output line.

    Raises:
        EndpointError: it is an error, regardless of the HTTP status.
        ValueError, KeyError, TypeError, IndexError, AttributeError: it is not a completion.
    """
    if isinstance(answer, list) or not answer.get("choices"):
        _raise_error(answer)
    whole = cast("Json", answer)
    choice: Json = whole["choices"][0]
    message: Json = choice["message"]
    reason = name(choice.get("finish_reason"))
    said, refusal = message.get("content"), message.get("refusal")
    if reason.lower() in _BROKEN or (reason.startswith("function_call_filter") and not said):
        detail = beginning(str(_error_of(choice).message or whole.get("error") or ""), 200)
        raise EndpointError(ErrorClass.SERVER_ERROR, f"the answer ended with {reason!r} {detail}".strip())
    thoughts, text = map(_storable, _apart(message, said))
    calls = calls_of(message)
    refused = bool(refusal) and not text
    text = text or _storable(words(refusal))
    kept = _storable_json({field: message[field] for field in _SENT_BACK if message.get(field)})
    written = len(text) + len(thoughts) + sum(len(call.arguments) for call in calls)
    sent_back = _size(kept) + sum(_size(call.extra_content) for call in calls)
    if written > MAX_ANSWER_CHARS or sent_back > 2 * MAX_ANSWER_CHARS:  # some endpoints send thoughts in two fields
        raise ValueError(f"an answer of more than {MAX_ANSWER_CHARS} characters")
    usage, fault = read_usage(whole.get("usage"), thoughts)
    return Completion(
        text=text,
        tool_calls=calls,
        thoughts=thoughts,
        endpoint_fields=kept,
        finish_reason="content_filter" if refused else _reason(reason),
        usage=usage,
        usage_fault=fault,
        latency_s=latency_s,
        model=name(whole.get("model")),
    )


def calls_of(message: Json) -> tuple[FunctionCall, ...]:
    """Calls of functions; arguments are JSON as text, an object (Ollama), or missing."""
    found: list[Json] = message.get("tool_calls") or []
    return tuple(_call(each, each["function"]) for each in found)


def _call(call: Json, function: Json) -> FunctionCall:
    given, extra = function.get("arguments"), call.get("extra_content")
    arguments = given if isinstance(given, str) else json.dumps({} if given is None else given)
    return FunctionCall(
        id=name(call.get("id")),
        name=name(function.get("name")),
        arguments=_storable(arguments),
        extra_content=_storable_json(cast("Json", extra)) if isinstance(extra, dict) else {},
    )


def _apart(message: Json, said: Any) -> tuple[str, str]:
    """Thoughts and answer, wherever the endpoint puts them."""
    beside = message.get("reasoning_content") or message.get("reasoning")
    thoughts = [beside] if isinstance(beside, str) else []
    if isinstance(said, list):
        parts = cast("list[Any]", said)
        thoughts += [words(part) for part in parts if _thinks(part)]
        said = "".join(words(part) for part in parts if not _thinks(part))
    inside, text = split_thoughts(said or "")
    if not (thoughts or inside):
        return "", text
    return "\n".join(filter(None, (*thoughts, inside))), text


def _thinks(part: Any) -> bool:
    return isinstance(part, dict) and cast("Json", part).get("type") == "thinking"


def name(value: Any) -> str:
    """A string of the endpoint; empty if the value is of another type."""
    return _storable(beginning(value, _WORD_CHARS)) if isinstance(value, str) else ""


def _storable(text: str) -> str:
    """Joins halves of a character, which a stream may have split; a lone half has no bytes in UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _storable_json(found: Json) -> Json:
    """The object without lone halves of a character."""
    return json.loads(_storable(json.dumps(found, ensure_ascii=False))) if found else found


def _size(found: Json) -> int:
    """Characters of what goes back with every later request."""
    return len(json.dumps(found, ensure_ascii=False)) if found else 0


def _reason(word: str) -> str:
    if word == "stop":  # the common case, on the hot path
        return word
    if word.lower() in _CUT_OFF:
        return "length"
    return "content_filter" if word.lower() in _DECLINED else word


def _error_of(found: Any) -> Complaint:
    error: Any = cast("Json", found).get("error") if isinstance(found, dict) else None
    return complaint_of(found) if error else Complaint()


def _raise_error(answer: Any) -> None:
    """Raises the error that a 200 reply may hold: a router that has begun to answer cannot change its status.

    Raises:
        EndpointError: the reply is an error.
    """
    first: Any = next(iter(cast("list[Any]", answer)), None) if isinstance(answer, list) else answer
    found = cast("Json", first) if isinstance(first, dict) else {}
    if found.get("error") or found.get("object") == "error":
        complaint = complaint_of(found)
        raise from_complaint(int(complaint.code) if _STATUS.fullmatch(complaint.code) else 200, {}, complaint)
