"""The kind of thing that an identifier names: an invoice number does not ground an argument that wants an account.

The field under which a result showed the value states its kind. `assignee_id` may take a value shown as `user_id`, so a
different field alone proves nothing; the form does: if the values of the argument's own field begin with other letters
everywhere else in the conversation (`INV-204` among `AC-17`, `AC-18`), the value is of the wrong kind.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from gem_tasks.checks.reading.arguments import Leaf, leaves
from gem_tasks.checks.reading.case import Case, Rows
from gem_tasks.checks.reading.said import stem
from gem_tasks.checks.reading.verbs import words

ID_WORDS = frozenset("id ids uuid guid code ref reference number no key token sku iban isbn".split())
_LAST = re.compile(r"\.(\w+)(?:\[\d+\])?$")
_PREFIX = re.compile(r"([A-Za-z]+)(?:[-_#./ ]+\w|\d[\d-]*$)")
_PIECES = re.compile(r"[^\W\d_]+|\d+")
_MOST_PIECES = 7
_MOST_FIELDS = 40
"""Most fields of one value: beyond that they tell nothing about it."""
_LONGEST = 1000
"""Longest identifier that has a form, in characters."""


@lru_cache(maxsize=8192)
def is_id_name(name: str) -> bool:
    """Whether an argument of that name takes an identifier."""
    found = words(name)
    return bool(found) and found[-1] in ID_WORDS


@lru_cache(maxsize=8192)
def _nouns(name: str) -> frozenset[str]:
    """The nouns of a field; none for a bare `id` or `number`."""
    return frozenset(stem(word) for word in words(name)[:-1])


def _named(key: str, path: str, call: str) -> str:
    """A field with its noun: a bare `id` belongs to its list, or to the subject of the call."""
    if len(words(key)) > 1:
        return key
    around = _LAST.search(path)
    return f"{around[1] if around else '_'.join(words(call)[1:])}_{key}"


@lru_cache(maxsize=8192)
def _form(value: str) -> str:
    """`rn` of `RN-1334` and `RN/25/7`, `9` of `611500`, `9a9` of `12AB7`; empty if there are too many pieces."""
    if match := _PREFIX.match(value.strip()):
        return match[1].casefold()
    if len(value) > _LONGEST:
        return ""
    pieces = _PIECES.findall(value)
    return "".join("9" if piece[0].isdigit() else "a" for piece in pieces) if len(pieces) <= _MOST_PIECES else ""


@dataclass
class Kinds:
    """The identifiers that results have shown so far."""

    case: Case
    fields: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """The fields in which each value occurred."""
    _names: set[str] = field(default_factory=set[str])

    def hear(self, rows: Rows, call: str) -> None:
        """Adds the result of a call of that name."""
        for path, row in rows:
            for key, value in row.items():
                if isinstance(value, str) and value and is_id_name(key):
                    shown = self.fields.setdefault(value.casefold(), set())
                    if len(shown) < _MOST_FIELDS:
                        name = _named(key, path, call)
                        shown.add(name)
                        self._names.add(name)

    def other(self, leaf: Leaf) -> str:
        """The field that names another kind of thing; empty if none does."""
        value = str(leaf.value)
        keys = {key for key in self.fields.get(value.casefold(), ()) if _nouns(key)}
        if not keys or not is_id_name(leaf.name) or not _nouns(leaf.name):
            return ""
        if any(_nouns(key) == _nouns(leaf.name) for key in keys):
            return ""
        if any(_nouns(key) > _nouns(leaf.name) for key in keys):
            return ""  # `usd_currency_code` is a `currency_code`
        akin = any(_nouns(key) & _nouns(leaf.name) for key in keys)
        own, usual = _form(value), self._usual.get(leaf.name, {})
        forms, mine = self._forms.get(leaf.name, Counter[str]()), usual.get(value.casefold())

        def of_others(form: str) -> bool:
            return forms[form] > (form == mine)

        told_apart = own and len(usual) > (mine is not None) and not of_others("") and not of_others(own)
        if not told_apart and (akin or of_others(own) or not self.offered(leaf.name)):
            return ""
        return min(keys)

    def offered(self, name: str) -> bool:
        """Whether results have shown values under that exact name."""
        return name in self._names

    @cached_property
    def _forms(self) -> dict[str, Counter[str]]:
        """How many of those values have a form."""
        return {name: Counter(values.values()) for name, values in self._usual.items()}

    @cached_property
    def _usual(self) -> dict[str, dict[str, str]]:
        """Values of each identifying field, in all results and calls, with their forms."""
        found: dict[str, dict[str, str]] = {}
        for rows in self.case.rows.values():
            for _, row in rows:
                for key, value in row.items():
                    if isinstance(value, str) and is_id_name(key):
                        found.setdefault(key, {})[value.casefold()] = _form(value.casefold())
        for exchange in self.case.exchanges:
            for leaf in leaves(exchange.call.arguments, {}):
                if isinstance(leaf.value, str) and is_id_name(leaf.name):
                    found.setdefault(leaf.name, {})[leaf.value.casefold()] = _form(leaf.value.casefold())
        return found
