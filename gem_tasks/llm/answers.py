"""Reads a chat completion from JSON as endpoints really send it: fields missing, null, or of another type."""

import json
from typing import Any

from pydantic_core import from_json

from gem_tasks.domain.chat import Completion, Usage
from gem_tasks.errors import EndpointError, ErrorClass


def read_completion(body: bytes, latency_s: float) -> Completion:
    """The completion in the body of a 200.

    Raises:
        EndpointError: it holds none.
    """
    try:
        return completion(_parsed(body), latency_s)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        start = body[:100].decode("utf-8", "replace")
        detail = f"unusable answer ({type(error).__name__}): {start!r}"
        raise EndpointError(ErrorClass.SERVER_ERROR, detail) from error


def _parsed(body: bytes) -> Any:
    """With the fast parser; what it is too strict for (half a character, UTF-16) goes to Python's."""
    try:
        return from_json(body)
    except ValueError:
        return json.loads(body)


def completion(answer: Any, latency_s: float = 0.0) -> Completion:
    """The completion in a parsed chat completion object; also the body of a batch's output line.

    Raises:
        ValueError, KeyError, TypeError, IndexError, AttributeError: it holds none.
    """
    choice = answer["choices"][0]
    message = choice["message"]
    text, refusal = message.get("content"), message.get("refusal")
    refused = refusal and not text
    return Completion(
        text=text or refusal or "",
        finish_reason="content_filter" if refused else choice.get("finish_reason") or "",
        usage=_usage(answer.get("usage") or {}),
        latency_s=latency_s,
        model=answer.get("model") or "",
    )


def _usage(usage: dict[str, Any]) -> Usage:
    prompt: dict[str, Any] = usage.get("prompt_tokens_details") or {}
    output: dict[str, Any] = usage.get("completion_tokens_details") or {}
    return Usage(
        prompt_tokens=usage.get("prompt_tokens") or 0,
        cached_tokens=prompt.get("cached_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
        reasoning_tokens=output.get("reasoning_tokens") or 0,
    )
