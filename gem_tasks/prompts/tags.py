"""Reads and writes the tagged text of models' answers, strictly: anything ambiguous is an error."""

import json
import re
from typing import Any

from gem_tasks.patterns import IgnoringCase

FORMAT_TAGS = (
    "multi_step reason summary platform domain task workflow description steps execution_graph actions tools requires "
    "toolsets trajectory system user assistant tool func think"
).split()
"""Every tag of GEM's formats."""

TURN_TAGS = "toolsets trajectory system user assistant tool func think".split()
"""The tags that would break the format of a conversation, and those of thoughts: no turn may contain one. The prompts
name them; the tags of other stages (`<description>`, `<task>`, …) are ordinary words in a text about XML."""

_ANY_TAG = IgnoringCase(rf"</?(?:{'|'.join(FORMAT_TAGS)})\s*>")
_TURN_TAG = IgnoringCase(rf"</?(?:{'|'.join(TURN_TAGS)})\s*>")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class TagError(ValueError):
    """The text does not follow the format; the message is written for the model that made it."""


def strip_thinking(text: str) -> str:
    """Removes one leading `<think>…</think>` block of a reasoning model."""
    if not text.lstrip().startswith("<think>"):
        return text
    _, closed, answer = text.partition("</think>")
    return answer.lstrip() if closed else text


def leaked_tag(text: str) -> str | None:
    """The first of GEM's tags in a text that should have none."""
    return _ANY_TAG.first(text)


def turn_tag(text: str) -> str | None:
    """The first tag in a turn's words that would break the format of the conversation."""
    return _TURN_TAG.first(text)


def blocks(text: str, tag: str) -> list[str]:
    """The contents of all `<tag>…</tag>`, stripped, in order.

    Raises:
        TagError: a tag is not closed, closed twice, or nested in itself.
    """
    found: list[str] = []
    start: int | None = None
    for match in re.finditer(rf"<(/?){tag}>", text):
        if match[1] and start is not None:
            found.append(text[start : match.start()].strip())
            start = None
        elif match[1]:
            raise TagError(f"</{tag}> closes nothing")
        elif start is not None:
            raise TagError(f"<{tag}> is opened twice without </{tag}> between")
        else:
            start = match.end()
    if start is not None:
        raise TagError(f"<{tag}> is not closed by </{tag}>")
    return found


def one(text: str, tag: str) -> str:
    """The content of the only `<tag>…</tag>`.

    Raises:
        TagError: there is none, or more than one.
    """
    found = blocks(text, tag)
    if len(found) != 1:
        raise TagError(f"expected <{tag}>…</{tag}> exactly once, found it {len(found)} times")
    return found[0]


def parse_json(text: str, what: str) -> Any:
    """Parses JSON, in a Markdown fence or bare.

    Raises:
        TagError: it is not JSON; names the position.
    """
    body = _unfenced(text)
    try:
        data = json.loads(body, parse_constant=_no_constant)
        if _SURROGATE.search(body):
            json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        near = body[max(0, error.pos - 20) : error.pos + 20]
        raise TagError(f"{what} is not valid JSON: {error.msg} at character {error.pos}, near {near!r}") from None
    except (UnicodeEncodeError, RecursionError, ValueError) as error:
        raise TagError(f"{what} cannot be used: {type(error).__name__}: {str(error)[:100]}") from None
    return data


def json_object_in(text: str) -> str:
    """Extracts the JSON object from the prose that models write around it if no schema restricts them."""
    start, end = text.find("{"), text.rfind("}")
    bare = text.lstrip().startswith("[") or not 0 <= start < end
    return text if bare else text[start : end + 1]


def _unfenced(text: str) -> str:
    """Removes a fence without a pattern, which would search for the closing fence from every blank."""
    body = text.strip()
    if body.startswith("```"):
        body = body.removeprefix("```").removeprefix("json").lstrip()
    return body.removesuffix("```").rstrip() if body.endswith("```") else body


def _no_constant(name: str) -> None:
    """NaN and Infinity are Python's extension, not JSON (RFC 8259 section 6)."""
    raise ValueError(f"{name} is not JSON")


def json_list(text: str, what: str) -> list[dict[str, Any]]:
    """A JSON list of objects.

    Raises:
        TagError: it is something else.
    """
    data = parse_json(text, what)
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):  # pyright: ignore[reportUnknownVariableType]
        raise TagError(f"{what} must be a JSON list of objects")
    return data  # pyright: ignore[reportUnknownVariableType]


def neutral(text: str) -> str:
    """The text with GEM's tags made harmless, for writers of tagged text."""
    return _ANY_TAG.sub(lambda tag: f"&lt;{tag[1:-1]}&gt;", text)
