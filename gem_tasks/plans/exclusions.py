"""Which options cannot occur in one plan. `not_with` of an option names others as `menu.option`; it holds both ways."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from difflib import get_close_matches


def both_ways(not_with: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """What each option excludes or is excluded by."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, others in not_with.items():
        for other in others:
            found[name].add(other)
            found[other].add(name)
    return {name: frozenset(others) for name, others in found.items()}


def fault(not_with: Mapping[str, Iterable[str]]) -> str | None:
    """The first reference that is wrong.

    Args:
        not_with: what each option excludes; every option is a key.
    """
    for name, others in not_with.items():
        for other in others:
            if other == name:
                return f"{name}.not_with: it excludes itself"
            if other not in not_with:
                near = get_close_matches(other, sorted(not_with), n=1, cutoff=0)[0]
                return f"{name}.not_with: there is no {other!r}; the nearest is {near!r}"
    return None
