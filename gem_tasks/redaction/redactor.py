"""Keeps the secrets in force, and removes them from texts.

A text without secrets, which nearly every one is, costs one pass for any number of secrets: its letters and
digits are cut into blocks of eight, and a needle of fifteen or more contains one of them wherever it lies.
"""

import string
from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock
from typing import TypeVar

from gem_tasks.redaction.forms import distinctive, exact, needles, squeezed
from gem_tasks.redaction.unescaped import LAYERS, Layer, layers, unescaped

MASK = "[redacted]"
_BLOCK = 8
_MOST = 256
"""Maximum number of secrets in force; the oldest is removed first, because processes mint tokens for weeks."""
_LONGEST = 200_000
"""Maximum length of a text from which encoded secrets are cut out; a longer one is dropped completely."""
_BESIDE = 3
"""Number of neighbouring base64 characters that contain bits of a secret."""
_SQUEEZED = frozenset(string.ascii_letters + string.digits)
_BASE64 = _SQUEEZED | frozenset("+/=-_")
S = TypeVar("S", str, bytes)


class Redactor:
    """Replaces known secrets in texts."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._secrets: OrderedDict[str, str] = OrderedDict()
        self._weak: dict[str, str] = {}
        self._index: _Index | None = None

    def know(self, name: str, secret: str) -> None:
        """Adds a secret under the name that reports show."""
        with self._lock:
            if not distinctive(secret):
                self._weak[name] = secret
                return
            self._weak.pop(name, None)
            if secret in self._secrets:
                self._secrets.move_to_end(secret)
                return
            self._secrets[secret] = name
            if len(self._secrets) > _MOST:
                self._secrets.popitem(last=False)
            self._index = None

    def forget(self) -> None:
        """Forgets all secrets; for tests."""
        with self._lock:
            self._secrets.clear()
            self._weak.clear()
            self._index = None

    @property
    def weak(self) -> list[str]:
        """Names of secrets that are too short, or too similar to a word, to search for in texts."""
        return sorted(self._weak)

    def clean(self, text: str) -> str:
        """The text, with a mask in place of every secret."""
        index = self._index or self._indexed()
        if not index.found(text):
            return text
        for secret in index.secrets:
            text = text.replace(secret, MASK)
        if not index.found(text):
            return text
        if len(text) <= _LONGEST:
            text = _blotted(text, index)
            if not index.found(text):
                return text
        return f"{MASK[:-1]}: {len(text)} characters that held a secret]"

    def _indexed(self) -> "_Index":
        with self._lock:
            self._index = found = _Index(tuple(self._secrets))
            return found


class _Index:
    """The forms of all secrets, indexed for look-up."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self.secrets = sorted(secrets, key=len, reverse=True)
        self.exact = [form for secret in secrets for form in exact(secret)]
        self.needles = frozenset(form for secret in secrets for form in needles(secret))
        self._short = [form for form in self.needles if len(form) < 2 * _BLOCK - 1]
        self._blocks = frozenset(
            block
            for form in self.needles
            for place in range(len(form) - _BLOCK + 1)
            for block in _blocks(form[place : place + _BLOCK])
        )

    def found(self, text: str) -> bool:
        """Whether any form of any secret is in the text, also under escapes."""
        for _ in range(LAYERS + 1) if self.secrets else ():
            if self._in(text):
                return True
            text, before = unescaped(text), text
            if text == before:
                break
        return False

    def _in(self, text: str) -> bool:
        if any(form in text for form in self.exact):
            return True
        flat = squeezed(text)
        if any(form in flat for form in self._short):
            return True
        return not self._blocks.isdisjoint(_blocks(flat)) and any(form in flat for form in self.needles)


def _blocks(flat: bytes) -> "memoryview[int]":
    """The text's blocks as numbers, which cost a fifth of slices."""
    return memoryview(flat)[: len(flat) // _BLOCK * _BLOCK].cast("Q")


def _blotted(text: str, index: _Index) -> str:
    """The text with a mask over every form of a secret."""
    parts, place = list[str](), 0
    for start, end in _joined(sorted(_places(text, index))):
        parts += [text[place:start], MASK]
        place = end
    return "".join([*parts, text[place:]])


def _places(text: str, index: _Index) -> Iterator[tuple[int, int]]:
    for layer in layers(text):
        for form in index.exact:
            for first in _all(layer.text, form):
                yield layer.starts[first], layer.ends[first + len(form) - 1]
        yield from _squeezed_places(text, layer, index)


def _squeezed_places(text: str, layer: Layer, index: _Index) -> Iterator[tuple[int, int]]:
    kept = [place for place, character in enumerate(layer.text) if character in _SQUEEZED]
    flat = squeezed(layer.text)
    for form in index.needles:
        for first in _all(flat, form):
            yield _widened(text, layer.starts[kept[first]], layer.ends[kept[first + len(form) - 1]])


def _all(text: S, form: S) -> Iterator[int]:
    place = text.find(form)
    while place >= 0:
        yield place
        place = text.find(form, place + len(form))


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """The span, extended by the neighbouring characters that share bits with it."""
    first, last = max(0, start - _BESIDE), min(len(text), end + _BESIDE)
    while start > first and text[start - 1] in _BASE64:
        start -= 1
    while end < last and text[end] in _BASE64:
        end += 1
    return start, end


def _joined(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined = list[tuple[int, int]]()
    for start, end in places:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
