"""How alike the conversations of a dataset are: plans drawn, phrases that recur, and what compression saves. Pure.

Memory is bounded for any number of conversations: rare phrases are forgotten on the way, and compression looks at
a sample. So the shares of phrases are at most too low, and by little for those that are in many conversations.
"""

import heapq
import lzma
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from gem_tasks.domain.base import Json
from gem_tasks.domain.plan import Plan
from gem_tasks.domain.trajectory import Role, Trajectory

WORDS = 4
"""Of a phrase."""
MOST_SHOWN = 10
_MOST_KEPT = 1_000_000
"""Phrases of one role that are kept: about 150 MB."""
_SAMPLED = 100
"""Conversations that are compressed: about a second."""
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_RAW = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
_SPOKEN: tuple[Role, ...] = ("user", "assistant")


class Alike:
    """Reads conversations one by one."""

    def __init__(self, most_kept: int = _MOST_KEPT) -> None:
        self._conversations = 0
        self._plans: dict[str, Counter[str]] = {}
        self._phrases: dict[Role, Counter[str]] = {role: Counter() for role in _SPOKEN}
        self._openings: dict[Role, Counter[str]] = {role: Counter() for role in _SPOKEN}
        self._sample: list[tuple[str, str]] = []
        self._most_kept = most_kept

    def add(self, key: str, trajectory: Trajectory, plan: Plan | None) -> None:
        """Takes one in; `key` is its id, a hash, by which the sample is drawn."""
        self._conversations += 1
        for menu, option in _drawn(plan):
            self._plans.setdefault(menu, Counter())[option] += 1
        for role, counted in self._phrases.items():
            counted.update(set(chain.from_iterable(map(_phrases, _said(trajectory, role)))))
            _forget(counted, self._most_kept)
        for role, counted in self._openings.items():
            counted.update(_opening(trajectory, role))
            _forget(counted, self._most_kept)
        said = "\n".join(words for role in _SPOKEN for words in _said(trajectory, role))
        heapq.heappush(self._sample, (_turned(key), said))
        if len(self._sample) > _SAMPLED:
            heapq.heappop(self._sample)

    def measures(self) -> Json:
        """For the manifest: `plans` (counts by menu), `phrases` and `openings` (shares by role), `spread`."""
        return {
            "plans": {menu: dict(found.most_common()) for menu, found in self._plans.items()},
            "phrases": {role: self._common(counted) for role, counted in self._phrases.items()},
            "openings": {role: self._common(counted) for role, counted in self._openings.items()},
            "spread": _spread([said for _, said in sorted(self._sample)]),
        }

    def _common(self, counted: Counter[str]) -> dict[str, float]:
        """The most common phrases that are in more than one conversation, ties by name."""
        several = [(phrase, count) for phrase, count in counted.items() if count > 1]
        first = heapq.nsmallest(MOST_SHOWN, several, key=lambda item: (-item[1], item[0]))
        return {phrase: round(count / self._conversations, 4) for phrase, count in first}


def _drawn(plan: Plan | None) -> Iterator[tuple[str, str]]:
    if plan:
        yield from plan.choices.items()
        yield from (("patterns", name) for name in plan.patterns or ("none",))


def _said(trajectory: Trajectory, role: Role) -> Iterator[str]:
    return (message.content for message in trajectory.messages if message.role == role and message.content)


def _phrases(text: str) -> Iterator[str]:
    words = _WORD.findall(text.lower())
    return (" ".join(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1))


def _opening(trajectory: Trajectory, role: Role) -> Iterator[str]:
    """The first words of the role's first turn, as many as a phrase has or all that there are."""
    words = _WORD.findall(next(_said(trajectory, role), "").lower())
    if words:
        yield " ".join(words[:WORDS])


def _forget(counted: Counter[str], most: int) -> None:
    """Drops the rarest until half of the room is free (lossy counting)."""
    least = 0
    while len(counted) > most or (least and len(counted) > most // 2):
        least += 1
        for phrase in [phrase for phrase, count in counted.items() if count <= least]:
            del counted[phrase]


def _turned(key: str) -> str:
    """So that the heap keeps the least keys: those of equal datasets are the same in every order."""
    return "".join(chr(0x10FFFF - ord(sign)) for sign in key)


def _spread(texts: list[str]) -> float | None:
    """Compressed size of all together by the sum of single sizes: 1 where nothing recurs; None for fewer than two."""
    if len(texts) < 2:
        return None
    alone = sum(_size(text) for text in texts)
    return round(_size("\n".join(texts)) / alone, 3) if alone else None


def _size(text: str) -> int:
    return len(lzma.compress(text.encode("utf-8", "replace"), lzma.FORMAT_RAW, filters=_RAW))
