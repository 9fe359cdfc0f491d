"""Reads an endpoint's error from any of the six envelopes in use.

| envelope                                                     | who                                         |
|--------------------------------------------------------------|---------------------------------------------|
| `{"error": {message, type, param, code}}`                    | OpenAI and most                             |
| `[{"error": {code, message, status}}]`                       | Gemini                                      |
| `{"object": "error", message, type, param, code}`            | SGLang; Mistral, whose message may be details |
| `{"error": "text", "error_type": …}`                         | LM Studio, TGI, Hugging Face                |
| `{"type": "error", "error": {type, message}}`                | Anthropic                                   |
| any, with another one inside its message                     | gateways such as LiteLLM                    |
"""

import json
import re
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.errors import Complaint
from gem_tasks.redaction import beginning, clean

_COMMENT = re.compile(r"\A(?:\s*:[^\n]*(?:\n|\Z))+")
_CHARACTER = re.compile(r"(?<!\\)\\++u([0-9a-fA-F]{4})")
_ESCAPE = re.compile(r"(?<!\\)\\++[nrt\"'/]")
_ECHOES = frozenset({"input", "messages", "prompt", "failed_generation"})
"""Fields in which validators echo their input."""
_WORD_CHARS = 200
_LARGE = 10**12
"""Codes are smaller. Python does not print numbers of thousands of digits."""
_MOST = 20_000
"""Characters of a body that are read: some gateways answer with a whole page."""


def without_comments(text: str) -> str:
    """The text without leading keep-alive lines: blank ones, and those that begin with a colon."""
    return _COMMENT.sub("", text).strip()


def read_complaint(body: bytes | str) -> Complaint:
    """The error in a body; the text itself as its message if it has none of the envelopes."""
    text = body[: 4 * _MOST].decode("utf-8", "replace") if isinstance(body, bytes) else body
    plain = without_comments(beginning(text, _MOST))  # endpoints repeat the key that they refuse
    try:
        return complaint_of(json.loads(without_comments(text[:_MOST])))
    except (ValueError, RecursionError):
        return Complaint(message=plain, text=plain)


def complaint_of(found: Any) -> Complaint:
    """Like `read_complaint`, for a parsed body."""
    text = readable(beginning(json.dumps(_without_echo(found), ensure_ascii=False), _MOST))
    first: Any = next(iter(cast("list[Any]", found)), None) if isinstance(found, list) else found
    if not isinstance(first, dict):
        return Complaint(message=beginning(str(first), _MOST), text=text)
    outer = cast("Json", first)
    error: Any = outer.get("error") or outer
    if not isinstance(error, dict):
        return Complaint(message=beginning(str(error), _MOST), type=_word(outer.get("error_type")), text=text)
    fields = cast("Json", error)
    said: Any = fields.get("message") or fields.get("detail")
    return Complaint(
        message=clean(said if isinstance(said, str) else json.dumps(said)) if said else text,
        code=_word(fields.get("code")),
        type=_word(fields.get("type") or fields.get("status")),
        param=_word(fields.get("param")) or _location(said),
        text=text,
    )


def readable(text: str) -> str:
    """Undoes the escapes of JSON within JSON, which hide words or their boundaries."""
    return _ESCAPE.sub(" ", _CHARACTER.sub(lambda found: chr(int(found[1], 16)), text))


def _without_echo(found: Any) -> Any:
    """Without echoed input or output: a document about money is not a complaint about money."""
    if isinstance(found, list):
        return [_without_echo(part) for part in cast("list[Any]", found)]
    if not isinstance(found, dict):
        return found
    return {name: _without_echo(part) for name, part in cast("Json", found).items() if name not in _ECHOES}


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return beginning(value, _WORD_CHARS) if isinstance(value, str) else str(value) if abs(value) < _LARGE else ""


def _location(said: Any) -> str:
    """The field that a validation error of Mistral or FastAPI points to: the last name of its `loc`."""
    try:
        found: Any = json.loads(said) if isinstance(said, str) and said.lstrip().startswith(("{", "[")) else said
        found = cast("Json", found).get("detail", found) if isinstance(found, dict) else found
        return _word(found[0]["loc"][-1])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return ""
