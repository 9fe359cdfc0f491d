"""Opinions of people, checks and judge about the same conversations."""

from collections.abc import Iterable

from gem_tasks.domain.base import Value
from gem_tasks.domain.finding import Finding


def kind_of(finding: Finding) -> str:
    """`check/kind`."""
    return f"{finding.check}/{finding.kind}"


class Rated(Value):
    """A conversation that people rated."""

    sample: str
    """`trajectories` (published ones) or `refused`."""
    weight: float
    """Number of conversations in the data that it represents."""
    refused: bool
    """Refused by people: no majority of its raters gave 4 or 5 in every quality."""
    kinds: frozenset[str]
    """Kinds of the current checks' findings, `check/kind`, of any severity."""
    judged: bool
    """Whether the judge was asked; it never sees conversations that the checks refuse."""
    faults: frozenset[str]
    """The judge's reasons to refuse, as slugs such as `judge_r3`; empty if it accepted or was not asked."""


class Counted(Value):
    """A number of rated conversations, and of those with a property."""

    items: int
    hits: int
    share: float | None
    """Share by weight; None without items."""
    effective: float
    """Equally weighted items with the same information (Kish 1965): (sum of weights)² / (sum of squared weights)."""


def counted(pairs: Iterable[tuple[float, bool]]) -> Counted:
    """Counts `(weight, whether it is a hit)`."""
    found = list(pairs)
    total, squares = sum(weight for weight, _ in found), sum(weight**2 for weight, _ in found)
    return Counted(
        items=len(found),
        hits=sum(hit for _, hit in found),
        share=sum(weight for weight, hit in found if hit) / total if found else None,
        effective=total**2 / squares if found else 0.0,
    )


def precision(rated: Iterable[Rated], kind: str) -> Counted:
    """Among the conversations in which the checks find this kind, those that people refuse too."""
    return counted((each.weight, each.refused) for each in rated if kind in each.kinds)
