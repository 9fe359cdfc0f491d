"""Bends a good answer the way models do: broken tags, another script, an argument out of thin air."""

import json
import random
import re
import string
from collections.abc import Iterator
from typing import Any, cast

_CALL = re.compile(r"<func>(.*?)</func>", re.DOTALL)
_TAG_OR_JSON = re.compile(r'</?\w+>|"(?:[^"\\\n]|\\.)*"|[^<"\n]+|.', re.DOTALL)
_LETTER = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|[A-Za-z]")
_PROSE_WORDS = 3
"""A run with fewer words may be a name, a slug or a keyword of the format."""
_LATIN = string.ascii_letters
_CYRILLIC = "абцдефгхийклмнопярстувшчыз" + "АБЦДЕФГХИЙКЛМНОПЯРСТУВШЧЫЗ"
_SCRIPT = dict(zip(_LATIN, _CYRILLIC, strict=True))
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_KEYWORD = re.compile(r"[a-z_]+")
"""Looks like a value of an enumeration: changing it breaks the schema before it breaks the grounding."""
_FUNCTION = re.compile(r"^function \w+\(state, args\) \{\n", re.MULTILINE)
_MISBEHAVIOUR = (
    "while (true) {}", "throw 1;", "return 1;", 'return {x: "x".repeat(1e7)};', "state.now = args.no.thing;",
    "Object.prototype.x = 1;", "return new Array(1e9).fill(state);",
)  # fmt: skip
_TRIES = 50
SUFFIX = "-ZQ9"
"""What a suffixed value ends with."""


def malformed(text: str) -> str:
    """Its first tags are not closed."""
    return text.replace(">", "]", 3)


def in_cyrillic(text: str) -> str:
    """The same form with its prose in another script: tags, JSON keys and single words stay."""
    return _TAG_OR_JSON.sub(lambda match: _prose(match[0]), text)


def hallucinated(text: str, rng: random.Random) -> str:
    """One argument of one call becomes a value that occurs nowhere else; an answer without calls stays as it is."""
    slots = [(match, path) for match in _CALL.finditer(text) for path in _slots(_arguments(match[1]))]
    if not slots:
        return text
    telling = [slot for slot in slots if not _KEYWORD.fullmatch(str(_at(_arguments(slot[0][1]), slot[1])))]
    match, path = rng.choice(telling or slots)
    return _with(text, match, path, _unheard(_at(_arguments(match[1]), path), text, rng))


def suffixed(text: str, rng: random.Random) -> str:
    """One string argument of one call gets `SUFFIX`, which a revision can take away; without one it stays as it is."""
    slots = [
        (match, path)
        for match in _CALL.finditer(text)
        for path in _slots(_arguments(match[1]))
        if isinstance(value := _at(_arguments(match[1]), path), str) and not _KEYWORD.fullmatch(value)
    ]
    if not slots:
        return text
    match, path = rng.choice(slots)
    return _with(text, match, path, f"{_at(_arguments(match[1]), path)}{SUFFIX}")


def broken_world(text: str, rng: random.Random) -> str:
    """One function of a world loops, throws, or answers what no tool may; an answer without code stays as it is."""
    found = list(_FUNCTION.finditer(text))
    if not found:
        return text
    at = rng.choice(found).end()
    return f"{text[:at]}  {rng.choice(_MISBEHAVIOUR)}\n{text[at:]}"


def _with(text: str, match: re.Match[str], path: tuple[str | int, ...], value: object) -> str:
    """The text with another value in one place of one call."""
    body = json.loads(match[1])
    _at(body["arguments"], path[:-1])[path[-1]] = value
    written = json.dumps(body, ensure_ascii=False).replace("<", "\\u003c")
    return f"{text[: match.start(1)]}{written}{text[match.end(1) :]}"


def _prose(run: str) -> str:
    if run.startswith("<") or len(run.split()) < _PROSE_WORDS:
        return run
    return _LETTER.sub(lambda match: _SCRIPT.get(match[0], match[0]), run)


def _arguments(call: str) -> Any:
    try:
        body = json.loads(call)
    except ValueError:
        return None
    return cast("dict[str, Any]", body).get("arguments") if isinstance(body, dict) else None


def _slots(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where strings and numbers are."""
    if isinstance(value, dict):
        for key, part in cast("dict[str, Any]", value).items():
            yield from _slots(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(cast("list[Any]", value)):
            yield from _slots(part, (*path, index))
    elif path and isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield path


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _unheard(value: Any, text: str, rng: random.Random) -> Any:
    """A value of the same shape that the text does not contain."""
    for extra in range(_TRIES):
        if isinstance(value, str):
            made = _DATE.sub(lambda match: _date(match[0], rng), value)
            made = made if made != value else "".join(_other(letter, rng) for letter in value) + "x" * (extra // 10)
        else:
            made = value + rng.randrange(1, 10 ** (1 + extra // 5))
        if str(made) not in text:
            return made
    return value


def _date(date: str, rng: random.Random) -> str:
    return f"{date[:4]}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"


def _other(letter: str, rng: random.Random) -> str:
    if letter.isdigit():
        return rng.choice(string.digits)
    if letter.isascii() and letter.isalpha():
        return rng.choice(string.ascii_uppercase if letter.isupper() else string.ascii_lowercase)
    return letter
