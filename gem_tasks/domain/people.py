"""What people, checks and judge say of the same conversations."""

from collections.abc import Iterable

from gem_tasks.domain.base import Value
from gem_tasks.domain.finding import Finding


def kind_of(finding: Finding) -> str:
    """`check/kind`."""
    return f"{finding.check}/{finding.kind}"


class Rated(Value):
    """A conversation that people rated."""

    sample: str
    """`trajectories`, the published ones, or `refused`."""
    weight: float
    """How many conversations of the data it stands for."""
    refused: bool
    """By people: no majority of its raters gave 4 or 5 in every quality."""
    kinds: frozenset[str]
    """Of the findings that the checks have today, `check/kind`, whatever their severity."""
    judged: bool
    """Whether the judge was asked; it never is about what the checks refuse."""
    faults: frozenset[str]
    """Why the judge refused it, by slugs such as `judge_r3`; empty where it passed it, or was not asked."""


class Counted(Value):
    """Some rated conversations, and those of them that have a property."""

    items: int
    hits: int
    share: float | None
    """Of the weights; None without items."""
    effective: float
    """Items of equal weight that would say as much (Kish 1965): (sum of weights)² / (sum of squared weights)."""


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
    """Of the conversations in which the checks find this kind, those that people refuse too."""
    return counted((each.weight, each.refused) for each in rated if kind in each.kinds)
