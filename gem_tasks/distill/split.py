"""Splits candidates into training and held-out ones: by document, stratified, deterministic by seed. Pure.

A document's address and its copies are one group, and a group is in one split. Within a stratum (source and domain) the
groups are in order of arrival, shuffled by the seed within a partition, and get their split from an additive recurrence
(frac(start + i·φ), the start from seed and stratum): any run of groups has very nearly the requested shares, and a
later group moves no earlier one. So documents held out of one version's training are also held out of the next one's,
and old and new models can be compared on them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from gem_tasks.domain.distill import Candidate, SetSpec, Split

_GOLDEN = 0.6180339887498949


def assign(candidates: Sequence[Candidate], spec: SetSpec) -> dict[str, Split]:
    """The split of every group.

    Args:
        candidates: all candidates; the split does not depend on the spec's size.
        spec: seed and shares.
    """
    first: dict[str, Candidate] = {}
    for each in sorted(candidates, key=lambda each: (each.partition, each.document_uri, each.segment_id)):
        first.setdefault(each.group, each)
    strata: defaultdict[str, list[Candidate]] = defaultdict(list)
    for each in sorted(first.values(), key=lambda each: (each.partition, _uniform(spec.seed, each.group), each.group)):
        strata[each.stratum].append(each)
    found: dict[str, Split] = {}
    for stratum, members in strata.items():
        start = _uniform(spec.seed, f"stratum {stratum}")
        for position, each in enumerate(members):
            found[each.group] = _split((start + position * _GOLDEN) % 1, spec)
    return found


def choose(candidates: Iterable[Candidate], spec: SetSpec) -> list[Candidate]:
    """Chooses up to `spec.size` of them, each stratum in proportion; a smaller choice is part of every larger one."""
    pool = list(candidates)
    if spec.size is None or len(pool) <= spec.size:
        return pool
    strata: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for each in pool:
        strata[each.stratum].append((_uniform(spec.seed, each.trajectory_id), each.trajectory_id))
    ranked = [
        ((rank + jitter) / len(members), key)
        for members in strata.values()
        for rank, (jitter, key) in enumerate(sorted(members))
    ]
    taken = {key for _, key in sorted(ranked)[: spec.size]}
    return [each for each in pool if each.trajectory_id in taken]


def _split(place: float, spec: SetSpec) -> Split:
    if place < spec.test_share:
        return "test"
    return "validation" if place < spec.test_share + spec.validation_share else "train"


def _uniform(seed: int, key: str) -> float:
    """A number in [0, 1), the same for the same seed and key."""
    digest = blake2b(f"{seed} {key}".encode("utf-8", "surrogatepass"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56
