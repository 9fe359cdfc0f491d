"""Where values come from: whether a call's arguments were said, stated or returned before (the judge's rule R1)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from gem_tasks.domain.base import Json
from offline_teacher.talk.shapes import choices, properties_of, settled

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?|\d+(?:\.\d+)?")
_WORD = re.compile(r"\w+(?:[-'’.@/]\w+)*")
_NUMERALS = dict(
    zip("one two three four five six seven eight nine ten eleven twelve".split(), range(1, 13), strict=True)
)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_MONTHS = "January February March April May June July August September October November December".split()
# Free text that the assistant words itself: most of its words must still have been used before.
_PROSE_WORDS = 6
_PROSE_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Leaf:
    """One scalar inside the arguments of a call."""

    path: tuple[str, ...]
    value: str | float | bool | None
    schema: Json

    @property
    def name(self) -> str:
        """The name of the innermost field that has one."""
        return next((part for part in reversed(self.path) if not part.isdigit()), "value")


def leaves(value: Any, schema: Any, root: Json, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """All scalars of a value with the schemas that govern them."""
    node = settled(schema, root)
    if isinstance(value, dict):
        known = properties_of(node)
        for key, part in cast(Json, value).items():
            yield from leaves(part, known.get(key, {}), root, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(cast("list[Any]", value)):
            yield from leaves(part, node.get("items") or {}, root, (*path, str(index)))
    else:
        yield Leaf(path, value, node)


@dataclass
class Grounds:
    """Everything said so far, searchable."""

    _text: list[str] = field(default_factory=list[str])
    _numbers: set[float] = field(default_factory=set[float])
    _words: set[str] = field(default_factory=set[str])

    def add(self, content: str) -> None:
        """Takes in a message. The strings of a JSON one count as they read, not as they are escaped."""
        text = _folded(content)
        self._text.append(text)
        if "\\" in content:
            self._text.append(_folded(content.replace('\\"', '"').replace("\\\\", "\\")))
        found = _WORD.findall(text)
        self._words.update(found)
        self._numbers.update(_NUMERALS[word] for word in found if word in _NUMERALS)
        self._numbers.update(float(token.replace(",", "")) for token in _NUMBER.findall(text))

    def holds(self, leaf: Leaf) -> bool:
        """Whether the value was there before, or the schema leaves no or only a listed choice."""
        value = leaf.value
        if (
            value is None
            or isinstance(value, bool)
            or value in choices(leaf.schema)
            or value == leaf.schema.get("default")
        ):
            return True
        return self.has(value)

    def has(self, value: str | float) -> bool:
        """Whether a scalar was said, in the same or in an equivalent form."""
        if not isinstance(value, str):
            return float(value) in self._numbers
        wanted = _folded(value)
        return not wanted or any(self._says(form) for form in (wanted, *_forms(value))) or self._composed(wanted)

    def _says(self, wanted: str) -> bool:
        if _WORD.fullmatch(wanted) and len(wanted) <= 3:
            return wanted in self._words
        return any(wanted in text for text in self._text)

    def _composed(self, wanted: str) -> bool:
        words = _WORD.findall(wanted)
        return len(words) >= _PROSE_WORDS and sum(word in self._words for word in words) >= _PROSE_SHARE * len(words)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _forms(value: str) -> tuple[str, ...]:
    """Other ways to say the same: a date in words, an identifier with spaces."""
    forms = [value.replace("_", " ").casefold()]
    if _ISO_DATE.match(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return tuple(forms)
        month = _MONTHS[day.month - 1]
        forms += [f"{day.day} {month}".casefold(), f"{month} {day.day}".casefold()]
    return tuple(forms)


def scalars(text: str) -> list[str]:
    """All strings and numbers in a JSON text, as text; empty if it is not JSON."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    return [str(leaf.value) for leaf in leaves(found, {}, {}) if leaf.value is not None]
