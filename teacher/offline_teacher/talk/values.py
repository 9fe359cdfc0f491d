"""What a person would give for a parameter: by its schema first, then by the words of its name."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil, floor
from typing import Any
from uuid import UUID

from gem_tasks.domain.base import Json
from offline_teacher.talk import people
from offline_teacher.talk.pattern import sample
from offline_teacher.talk.shapes import bounds, choices, fits, kind_of, properties_of, required_of, settled

_MAX_DEPTH = 5
_STRING_LIMITS = ("minLength", "maxLength", "pattern", "format")


class Unfit(Exception):
    """No value was found that the schema accepts."""


@dataclass
class Values:
    """The source of values for one conversation."""

    rng: random.Random
    today: date
    company: str
    """The other party of the story, wherever a company is asked for."""
    person: str
    """The person of the story, wherever one is asked for."""
    own: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    """By parameter name: values that the source text itself contains."""
    _labels: list[str] = field(default_factory=list[str])

    def make(self, name: str, schema: Any, root: Json, depth: int = 0) -> Any:
        """A value for a parameter.

        Args:
            name: of the parameter.
            schema: that governs it.
            root: the whole schema, for references.
            depth: of nesting.

        Raises:
            Unfit: the schema is too odd.
        """
        node = settled(schema, root)
        if depth > _MAX_DEPTH:
            raise Unfit(name)
        if options := choices(node):
            return self.rng.choice(options)
        own = [value for value in self.own.get(name, []) if fits(node, value)]
        if own and "$ref" not in str(node):
            return own[0]
        return self._of_kind(name, node, root, depth)

    def _of_kind(self, name: str, node: Json, root: Json, depth: int) -> Any:
        match kind_of(node):
            case "integer":
                return int(self.number(name, node, whole=True))
            case "number":
                return self.number(name, node, whole=False)
            case "boolean":
                return self.rng.random() < 0.7
            case "array":
                return self._array(name, node, root, depth)
            case "object":
                return self.object(node, root, depth)
            case "null":
                return None
            case "string":
                return self._string(name, node)
            case _:
                raise Unfit(name)

    def object(self, node: Json, root: Json, depth: int = 0) -> Json:
        """Required properties, and some of the others where it is not deep.

        Raises:
            Unfit: one of the required ones has no value.
        """
        known, needed = properties_of(node), set(required_of(node))
        made: Json = {}
        for name, schema in known.items():
            if name in needed or (depth < 2 and self.rng.random() < 0.5):
                made[name] = self.make(name, schema, root, depth + 1)
        if needed - set(made):
            raise Unfit(", ".join(sorted(needed - set(made))))
        return made

    def number(self, name: str, node: Json, *, whole: bool) -> float:
        """Within the bounds; small where things are counted, two decimals where money is.

        Raises:
            Unfit: the bounds contradict each other.
        """
        low, high = bounds(node)
        start, end = _within(_usual_range(name), low, high)
        step = node.get("multipleOf")
        limits = {key: node[key] for key in node if "aximum" in key or "inimum" in key or key == "multipleOf"}
        for _ in range(8):
            drawn = self.rng.uniform(start, end)
            value = float(round(drawn)) if whole or end - start >= 2 else round(drawn, 2)
            if isinstance(step, int | float) and step > 0:
                value = round(round(drawn / step) * step, 6)
            kept = int(value) if whole or value == int(value) else value
            if fits(limits, kept):
                return kept
        low, high = start if low is None else low, end if high is None else high
        for value in _edges(low, high, step if isinstance(step, int | float) and step > 0 else 1):
            kept = int(value) if value == int(value) else value
            if fits(limits, kept) and not (whole and isinstance(kept, float)):
                return kept
        raise Unfit(name)

    def day(self, name: str) -> str:
        """A date near today, ISO: past for what has happened, else ahead."""
        back = bool(re.search(r"birth|start|from|posting|document|invoice|purchase|received|since", name))
        offset = -self.rng.randint(1, 20) if back else self.rng.randint(3, 45)
        if "birth" in name:
            offset = -self.rng.randint(8000, 20000)
        return (self.today + timedelta(days=offset)).isoformat()

    def _array(self, name: str, node: Json, root: Json, depth: int) -> list[Any]:
        least, most = node.get("minItems", 1), node.get("maxItems", 2)
        count = max(int(least), min(2, int(most))) if isinstance(least, int) and isinstance(most, int) else 1
        made: list[Any] = []
        for _ in range(4 * min(count, 20)):
            value = self.make(name[:-1] if name.endswith("s") else name, node.get("items") or {}, root, depth + 1)
            if value not in made and len(made) < count:
                made.append(value)
        return made

    def label(self) -> str:
        """A word for a field that says nothing about itself; not the same twice."""
        if not self._labels:
            self._labels = self.rng.sample(_LABELS, len(_LABELS))
        return self._labels.pop()

    def _string(self, name: str, node: Json) -> str:
        limits = {key: node[key] for key in _STRING_LIMITS if key in node}
        for candidate in self._candidates(name.lower(), node):
            if fits(limits, candidate):
                return candidate
        raise Unfit(name)

    def _candidates(self, name: str, node: Json) -> Iterator[str]:
        wanted = node.get("format")
        if isinstance(wanted, str) and wanted in _FORMATS:
            yield _FORMATS[wanted](self, name)
        if isinstance(pattern := node.get("pattern"), str):
            yield from _everyday(self, name)
            for _ in range(6):
                if made := sample(pattern, self.rng):
                    yield made
        for words, choose in _BY_WORD:
            if words.search(name):
                yield choose(self)
        low, high = node.get("minLength"), node.get("maxLength")
        yield self.label()
        yield self.rng.choice(_NOTES)
        if isinstance(high, int):
            yield self.rng.choice(_LABELS)[: max(high, 1)].strip()
        if isinstance(low, int) and low < 400:
            yield " ".join([*_NOTES] * 4)[: max(low, 1)].replace("  ", " ").ljust(low, "x")


def _fresh(values: Values) -> str:
    return values.label()


def code(rng: random.Random, words: str) -> str:
    """A short code: initials and digits, `SO-4821`."""
    found = re.findall(r"[a-z]+", words.lower())
    letters = "".join(word[0] for word in found) if len(found) > 1 else (found[0][:2] if found else "r")
    return f"{letters[:4].upper()}-{rng.randint(1000, 9899)}"


def _usual_range(name: str) -> tuple[float, float]:
    for words, low, high in (
        (r"percent|rate|discount", 2, 15),
        (r"amount|price|cost|total|fee|budget|salary|value", 80, 2400),
        (r"temperature|degree", 17, 23),
        (r"weight", 2, 30),
        (r"year", 2024, 2026),
        (r"minute|duration|second|timeout", 10, 90),
        (r"limit|max|page", 5, 20),
    ):
        if re.search(words, name):
            return low, high
    return 2, 12


def _within(usual: tuple[float, float], low: float | None, high: float | None) -> tuple[float, float]:
    """The usual range where the bounds allow it, else one of numbers that they allow; its ends are in order."""
    start, end = usual
    if low is not None:
        start = max(low, start if high is None or start <= high else low)
    elif high is not None and high < start:
        start = high / 2 if high > 0 else high - (end - start)
    end = start + (end - usual[0]) if high is None else min(high, max(end, start))
    return start, max(start, end)


def _edges(low: float, high: float, step: float) -> Iterator[float]:
    """Numbers that drawing and rounding may miss: whole steps at the bounds and beside them, then what lies between."""
    first, last = floor(low / step), ceil(high / step)
    yield from (each * step for each in (first + 1, first, last - 1, last))
    yield from ((low + high) / 2, low, high)


def _stamp(values: Values, name: str) -> str:
    return f"{values.day(name)}T{values.rng.randint(8, 17):02d}:{values.rng.choice((0, 15, 30, 45)):02d}:00Z"


def _mail(values: Values, name: str) -> str:
    del name
    domain = re.sub(r"\W+", "-", values.company.lower()).strip("-")
    return f"{re.sub(r'[^a-z]+', '.', values.person.lower())}@{domain}.com"


_FORMATS: dict[str, Callable[[Values, str], str]] = {
    "date": lambda values, name: values.day(name),
    "date-time": _stamp,
    "time": lambda values, _: f"{values.rng.randint(8, 17):02d}:{values.rng.choice((0, 15, 30, 45)):02d}:00Z",
    "email": _mail,
    "idn-email": _mail,
    "uri": lambda values, _: f"https://{values.company.lower().replace(' ', '-')}.com/{values.rng.randint(100, 999)}",
    "uuid": lambda values, _: str(UUID(int=values.rng.getrandbits(128), version=4)),
    "hostname": lambda values, _: f"{values.company.lower().replace(' ', '-')}.com",
    "ipv4": lambda values, _: f"10.20.{values.rng.randint(1, 250)}.{values.rng.randint(2, 250)}",
    "ipv6": lambda values, _: f"fd00::{values.rng.randint(16, 4000):x}",
    "duration": lambda values, _: f"P{values.rng.randint(2, 20)}D",
    "regex": lambda _values, _: "^[A-Z]+$",
}


def _everyday(values: Values, name: str) -> Iterator[str]:
    """Everyday notations, tried before a pattern is sampled letter by letter."""
    yield f"{values.rng.randint(8, 17):02d}:{values.rng.choice((0, 15, 30, 45)):02d}"
    yield values.day(name)
    yield code(values.rng, name.replace("_", " "))
    yield f"+49{values.rng.randint(1500000000, 1799999999)}"


_LABELS = (
    "Standard|Domestic|Main|Regular|Group A|Type B|External|Level 2|Retail|North|Internal|Basic|Series "
    "4|Extended|Local|"
    "Annual|Shared|Class C|Central|Option 1"
).split("|")
_NOTES = (
    "agreed by phone this morning", "please handle this before Friday", "replaces the entry from last week",
    "requested by the head of department", "second attempt after the outage", "to be reviewed at the end of the month",
    "same terms as last time", "delivery through the side entrance", "call first, then proceed",
)  # fmt: skip
_REASONS = (
    "entered twice by mistake", "change of plan", "damaged on arrival", "wrong item delivered", "duplicate request",
    "requested by the client", "new supplier terms", "staff change", "yearly review",
)  # fmt: skip
_STREETS = "Mill Lane 14|Harbour Street 8|Station Road 21|Elm Avenue 5|Market Square 3|Canal Walk 17".split("|")
_CHOICES: tuple[tuple[str, Callable[[Values], str]], ...] = (
    (r"e-?mail", lambda values: _mail(values, "")),
    (r"phone|mobile|telephone", lambda values: f"+49 30 55{values.rng.randint(1000, 9999)}"),
    (r"(?:^|_)(?:date|deadline|day|until|due)(?:_|$)", lambda values: values.day("")),
    (r"(?:^|_)time(?:_|$)", lambda values: f"{values.rng.randint(8, 17):02d}:30"),
    (r"reason|cause|justif|purpose", lambda values: values.rng.choice(_REASONS)),
    (r"note|comment|remark|message|body|instruction|detail|text|descr", lambda values: values.rng.choice(_NOTES)),
    (r"subject|title|heading", lambda values: f"{values.company}, {values.today:%B}"),
    (r"vendor|supplier|company|customer|client|partner|organi[sz]ation|bank|carrier", lambda values: values.company),
    (r"person|employee|user|member|guest|patient|contact|owner|assignee|manager|driver|technician|approver|agent",
         lambda values: values.person),
    (r"city|town", lambda values: people.city(values.rng)),
    (r"street|address", lambda values: values.rng.choice(_STREETS)),
    (r"post(?:al)?_?code|zip", lambda values: str(values.rng.randint(10115, 89999))),
    (r"country", lambda values: values.rng.choice("Germany Portugal Norway Italy Ireland".split())),
    (r"currency", lambda values: values.rng.choice("EUR USD GBP NOK".split())),
    (r"language", lambda values: values.rng.choice("German Portuguese Italian French".split())),
    (r"unit", lambda values: values.rng.choice("PCS BOX HOUR KG".split())),
    (r"colou?r", lambda values: values.rng.choice("blue green grey red".split())),
    (r"url|link|website", lambda values: _FORMATS["uri"](values, "")),
    (r"file|path|folder|directory", lambda values: f"{values.today:%Y-%m}-{values.rng.randint(10, 99)}.pdf"),
    (r"template|batch|group|profile|class|category|type|method|mode", _fresh),
    (r"(?:^|_)(?:code|no|number|ref|reference|key|serial|id)(?:_|$)", lambda values: code(values.rng, "ref no")),
    (r"name|query|keyword|search|term", lambda values: values.company),
    (r"location|place|site|room|warehouse|bin|store", lambda values: f"{people.place_name(values.rng)} site"),
    (r"quantity|amount|count|number|qty", lambda values: str(values.rng.randint(2, 12))),
)  # fmt: skip
_BY_WORD = tuple((re.compile(words), choose) for words, choose in _CHOICES)
