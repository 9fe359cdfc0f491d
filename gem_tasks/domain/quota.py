"""Quotas: how much of a corpus a domain, a platform or a kind of task may be. Pure.

A share is one of whole texts, rounded up: of `n` texts that pass, at most `ceil(share * n)` have the name. So the
first text of every name may pass, and a small partition does not wait for a large one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from math import ceil
from typing import NamedTuple

from gem_tasks.domain.base import Value

KINDS: tuple[str, ...] = ("domain", "platform", "task")
EVERY = "*"
"""Instead of a name: each name of the kind that has no separate quota."""
NO_QUOTAS = "none"
_QUOTA = re.compile(r"([^:=]+):([^:=]+)=(\d+)(\.\d+)?(%?)")

Counted = tuple[str, str]
"""Kind and name."""


class QuotaError(ValueError):
    """The text holds no quotas; the message says where and why."""


class Quota(Value):
    """The most that may pass of one kind and name: a share of all that pass, or a number of texts."""

    kind: str
    name: str
    share: Decimal | None = None
    """0 to 1."""
    most: int | None = None
    """Number of texts, if there is no share."""

    def allows(self, count: int, total: int) -> bool:
        """Whether `count` texts of `total` keep it."""
        return count <= (ceil(self.share * total) if self.share is not None else self.most or 0)

    def __str__(self) -> str:
        """As it is written."""
        bound = str(self.most) if self.share is None else f"{(self.share * 100).normalize():f}%"
        return f"{self.kind}:{self.name}={bound}"


class Text(NamedTuple):
    """A text that the filter accepted."""

    segment_id: str
    counted: tuple[Counted, ...]
    """What it counts for: each of its domains, its platform, its kind of task."""
    kept: bool = False
    """Whether an earlier decision let it pass."""


class Quotas(Value):
    """All quotas of a run. None of them: nothing is held, and what is held is released."""

    quotas: tuple[Quota, ...] = ()

    def over(self, counts: Mapping[Counted, int], total: int, text: Text) -> str | None:
        """The first quota that the text would break if it passed besides `total` others; None if it may."""
        for kind, name in text.counted:
            quota = self.of(kind, name)
            if quota and not quota.allows(counts.get((kind, name), 0) + 1, total + 1):
                return str(quota.model_copy(update={"name": name}))
        return None

    def of(self, kind: str, name: str) -> Quota | None:
        """The quota of a name: its own, or the one for every name of the kind."""
        return self._by_key.get((kind, name)) or self._by_key.get((kind, EVERY))

    @cached_property
    def _by_key(self) -> dict[Counted, Quota]:
        return {(each.kind, each.name): each for each in self.quotas}

    def decide(self, counts: Mapping[Counted, int], total: int, texts: Sequence[Text]) -> dict[str, str | None]:
        """Which quota holds each text; None if it passes. The order of the texts makes no difference.

        Those that passed before come first, all others in the order of a hash. As more pass, shares of the total
        have room again, so the rest is tried until none more fits.

        Args:
            counts: texts that pass regardless, by kind and name.
            total: the number of them.
            texts: those to decide about.
        """
        counted, waiting = Counter(counts), sorted(texts, key=_turn)
        decided: dict[str, str | None] = {}
        moved = True
        while moved and waiting:
            held: list[Text] = []
            for text in waiting:
                decided[text.segment_id] = over = self.over(counted, total, text)
                if over:
                    held.append(text)
                else:
                    counted.update(text.counted)
                    total += 1
            moved, waiting = len(held) < len(waiting), held
        return decided


def parse_quotas(texts: Iterable[str], names: Mapping[str, frozenset[str]]) -> Quotas | None:
    """Quotas such as `domain:finance=10%`, separated by commas or blanks. `none`: no quotas. Nothing at all: None.

    Args:
        texts: as given.
        names: the possible names by kind.

    Raises:
        QuotaError: one of them is none, names something unknown, or contradicts another.
    """
    given = [each for text in texts for each in re.split(r"[,;\s]+", text) if each]
    if not given:
        return None
    if NO_QUOTAS in given:
        if len(given) > 1:
            raise QuotaError(f"{NO_QUOTAS!r} contradicts {next(each for each in given if each != NO_QUOTAS)!r}")
        return Quotas()
    quotas = [_quota(each, names) for each in given]
    seen: dict[Counted, Quota] = {}
    for quota in quotas:
        if before := seen.get(key := (quota.kind, quota.name)):
            raise QuotaError(f"{quota.kind}:{quota.name} is given twice: {before} and {quota}")
        seen[key] = quota
    found = Quotas(quotas=tuple(quotas))
    for kind, known in names.items():
        _refuse_too_little(found, kind, known)
    return found


def _quota(text: str, names: Mapping[str, frozenset[str]]) -> Quota:
    match = _QUOTA.fullmatch(text)
    if not match:
        raise QuotaError(f"{text[:80]!r} is no quota; write domain:finance=10% or task:customer_support=500")
    kind, name, whole, part, percent = match.groups()
    if kind not in names:
        raise QuotaError(f"{text!r}: there is no kind {kind!r}{_nearest(kind, names)}")
    if name != EVERY and name not in names[kind]:
        raise QuotaError(f"{text!r}: there is no {kind} {name!r}{_nearest(name, names[kind])}")
    if not percent:
        if part:
            raise QuotaError(f"{text!r}: write a share in per cent, such as 10%, or a whole number of texts")
        return Quota(kind=kind, name=name, most=int(whole))
    share = Decimal(whole + (part or "")) / 100
    if share > 1:
        raise QuotaError(f"{text!r}: a share is at most 100%")
    return Quota(kind=kind, name=name, share=share)


def _nearest(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name.lower(), sorted(names), 1, 0.5)
    return f"; the nearest is {near[0]!r}" if near else f"; there are {', '.join(sorted(names))}"


def _refuse_too_little(quotas: Quotas, kind: str, names: frozenset[str]) -> None:
    """Every text has a name of each kind, so shares of all names have to add up to a whole."""
    found = [quotas.of(kind, name) for name in names]
    shares = [each.share for each in found if each and each.share is not None]
    if len(shares) == len(names) and sum(shares) < 1:
        raise QuotaError(f"the shares of all {len(names)} {kind}s add up to {sum(shares):.0%}, and have to reach 100%")


def _turn(text: Text) -> tuple[bool, str]:
    return not text.kept, sha256(f"quota\0{text.segment_id}".encode()).hexdigest()
