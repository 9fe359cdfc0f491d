"""Statistics of small samples of human judgement."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from hashlib import sha256
from statistics import NormalDist, fmean

from gem_tasks.domain.audit import BAR, CRITERIA, GOOD, AuditReport, Rating, Share, What

_Z = NormalDist().inv_cdf(0.975)


def wilson(good: int, of: int) -> Share:
    """A share and its 95 % interval, which stays sensible near 0 and 1 (Wilson 1927, JASA 22)."""
    if not of:
        return Share(good=0, of=0, share=None, low=None, high=None)
    share, spread = good / of, _Z * _Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return Share(good=good, of=of, share=share, low=max(0.0, middle - half), high=min(1.0, middle + half))


def kappa(judgements: Sequence[Sequence[Hashable]]) -> float | None:
    """Agreement beyond chance; one sequence of verdicts per item, in the order of the raters.

    Cohen's kappa (1960) when all items have two verdicts, else Fleiss' (1971) over the items with as many verdicts as
    most have. None when there is nothing to agree on.
    """
    rated = [item for item in judgements if len(item) > 1]
    if not rated:
        return None
    usual = Counter(len(item) for item in rated).most_common(1)[0][0]
    rated = [item for item in rated if len(item) == usual]
    if usual == 2:
        agree = fmean(first == second for first, second in rated)
        firsts, seconds = Counter(item[0] for item in rated), Counter(item[1] for item in rated)
        chance = sum(firsts[name] * seconds[name] for name in firsts) / len(rated) ** 2
    else:
        pairs = usual * (usual - 1)
        counted = [Counter(item) for item in rated]
        agree = fmean(sum(count * (count - 1) for count in each.values()) / pairs for each in counted)
        total = sum(counted, Counter[Hashable]())
        chance = sum((count / (len(rated) * usual)) ** 2 for count in total.values())
    return None if math.isclose(chance, 1) else (agree - chance) / (1 - chance)


def report(audit_id: int, what: What, version: str | None, items: int, ratings: Sequence[Rating]) -> AuditReport:
    """Adds ratings up."""
    by_item: dict[int, list[Rating]] = defaultdict(list)
    for rating in sorted(ratings, key=lambda rating: (rating.item, rating.rater)):
        by_item[rating.item].append(rating)
    criteria = {name: wilson(_good(by_item, name), len(by_item)) for name in CRITERIA}
    coherent = criteria["coherence"].share
    return AuditReport(
        audit_id=audit_id,
        what=what,
        version=version,
        items=items,
        rated=len(by_item),
        raters=tuple(sorted({rating.rater for rating in ratings})),
        criteria=criteria,
        kappa={
            name: kappa([[getattr(rating, name) >= GOOD for rating in given] for given in by_item.values()])
            for name in CRITERIA
        },
        passed=len(by_item) == items > 0 and coherent is not None and coherent > BAR,
    )


def draw(strata: Mapping[str, Sequence[str]], size: int, seed: int) -> list[tuple[str, str]]:
    """A stratified sample: `(stratum, id)`, as many of each stratum as its share asks for, by largest remainder.

    Args:
        strata: ids by stratum.
        size: how many in all; fewer when there are not so many.
        seed: the same seed draws the same ids, whatever their order.
    """
    total = sum(map(len, strata.values()))
    size, rank = min(size, total), _rank(seed)
    exact = {name: size * len(ids) / total for name, ids in strata.items() if ids}
    taken = {name: int(share) for name, share in exact.items()}
    rest = sorted(exact, key=lambda name: (taken[name] - exact[name], rank(name)))
    for name in rest[: size - sum(taken.values())]:
        taken[name] += 1
    return [(name, id_) for name in sorted(taken) for id_ in sorted(strata[name], key=rank)[: taken[name]]]


def _rank(seed: int) -> Callable[[str], bytes]:
    return lambda id_: sha256(f"{seed}\0{id_}".encode()).digest()


def _good(by_item: Mapping[int, Sequence[Rating]], name: str) -> int:
    return sum(fmean(getattr(rating, name) for rating in given) >= GOOD for given in by_item.values())
