"""Reads a chat completion as endpoints really send it: fields missing, null, or of another type, or in pieces."""

import json
from typing import Any, cast

from pydantic_core import from_json

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import Completion, Usage
from gem_tasks.errors import Complaint, EndpointError, ErrorClass
from gem_tasks.llm.classify import from_complaint
from gem_tasks.llm.envelope import complaint_of, without_comments
from gem_tasks.llm.events import EVENTS, collect
from gem_tasks.llm.thoughts import split_thoughts
from gem_tasks.redaction import beginning

_UNREADABLE = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
_CUT_OFF = frozenset({"max_tokens", "model_length", "model_context_window_exceeded"})
_DECLINED = frozenset({"sensitive", "safety", "recitation", "refusal", "prohibited_content", "blocklist"})
_BROKEN = frozenset({"error", "network_error", "insufficient_system_resource", "aborted"})
_CHARS_PER_TOKEN = 4


def read_completion(body: bytes, latency_s: float) -> Completion:
    """The completion in the body of a 200.

    Raises:
        EndpointError: it holds none, or an error.
    """
    try:
        return completion(_parsed(body), latency_s)
    except _UNREADABLE as error:
        start = beginning(body[:20_000].decode("utf-8", "replace"), 100)
        detail = f"unusable answer ({type(error).__name__}): {start!r}"
        raise EndpointError(ErrorClass.SERVER_ERROR, detail) from error


def _parsed(body: bytes) -> Any:
    """With the fast parser; what it is too strict for (half a character, UTF-16) goes to Python's."""
    try:
        return from_json(body)
    except ValueError:
        pass
    if body.lstrip()[:6].startswith(EVENTS):
        text = body.decode("utf-8", "replace")
        whole = without_comments(text)
        return from_json(whole) if whole.startswith("{") else collect(whole)
    return json.loads(body)


def completion(answer: Any, latency_s: float = 0.0) -> Completion:
    """The completion in a parsed chat completion object; also the body of a batch's output line.

    Raises:
        EndpointError: it is an error, whatever the status of the reply was.
        ValueError, KeyError, TypeError, IndexError, AttributeError: it holds none.
    """
    if isinstance(answer, list) or not answer.get("choices"):
        _raise_error(answer)
    whole = cast("Json", answer)
    choice: Json = whole["choices"][0]
    message: Json = choice["message"]
    reason = str(choice.get("finish_reason") or "")
    said, refusal = message.get("content"), message.get("refusal")
    if reason.lower() in _BROKEN or (reason.startswith("function_call_filter") and not said):
        detail = beginning(str(_error_of(choice).message or whole.get("error") or ""), 200)
        raise EndpointError(ErrorClass.SERVER_ERROR, f"the answer ended with {reason!r} {detail}".strip())
    thoughts, text = _apart(message, said)
    refused = bool(refusal) and not text
    return Completion(
        text=text or refusal or "",
        thoughts=thoughts,
        finish_reason="content_filter" if refused else _reason(reason),
        usage=_usage(whole.get("usage") or {}, thoughts),
        latency_s=latency_s,
        model=whole.get("model") or "",
    )


def _apart(message: Json, said: Any) -> tuple[str, str]:
    """Thoughts and answer, from wherever they are."""
    beside = message.get("reasoning_content") or message.get("reasoning")
    thoughts = [beside] if isinstance(beside, str) else []
    if isinstance(said, list):
        parts = cast("list[Any]", said)
        thoughts += [_words(part.get("thinking")) for part in parts if part.get("type") == "thinking"]
        said = "".join(_words(part) for part in parts if part.get("type") != "thinking")
    inside, text = split_thoughts(said or "")
    if not (thoughts or inside):
        return "", text
    return "\n".join(filter(None, (*thoughts, inside))), text


def _words(part: Any) -> str:
    """The text of a content part, of a list of them, or the text itself."""
    if isinstance(part, list):
        return "".join(map(_words, cast("list[Any]", part)))
    if isinstance(part, dict):
        return _words(cast("Json", part).get("text"))
    return part if isinstance(part, str) else ""


def _reason(word: str) -> str:
    if word.lower() in _CUT_OFF:
        return "length"
    return "content_filter" if word.lower() in _DECLINED else word


def _error_of(found: Any) -> Complaint:
    error: Any = cast("Json", found).get("error") if isinstance(found, dict) else None
    return complaint_of(found) if error else Complaint()


def _raise_error(answer: Any) -> None:
    """A 200 may hold an error: a router that had begun to answer cannot take its status back.

    Raises:
        EndpointError: this one does.
    """
    first: Any = next(iter(cast("list[Any]", answer)), None) if isinstance(answer, list) else answer
    found = cast("Json", first) if isinstance(first, dict) else {}
    if found.get("error") or found.get("object") == "error":
        complaint = complaint_of(found)
        status = int(complaint.code) if complaint.code.isdigit() and 400 <= int(complaint.code) < 600 else 500
        raise from_complaint(status, {}, complaint)


def _usage(usage: Json, thoughts: str) -> Usage:
    """Some leave the thoughts out of `completion_tokens` and have them in `total_tokens` only."""
    prompt: Json = usage.get("prompt_tokens_details") or {}
    output: Json = usage.get("completion_tokens_details") or {}
    cached = prompt.get("cached_tokens") or usage.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0
    asked, counted = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    answered = max(counted, (usage.get("total_tokens") or 0) - asked)
    thought = output.get("reasoning_tokens") or answered - counted or len(thoughts) // _CHARS_PER_TOKEN
    return Usage(
        prompt_tokens=asked,
        cached_tokens=cached,
        completion_tokens=answered,
        reasoning_tokens=min(thought, answered),
    )
