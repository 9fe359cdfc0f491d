"""Progress of one partition: shards, pace, and time left."""

from collections import Counter

from gem_tasks.console.chains import Chain
from gem_tasks.console.overview import PartitionState, conversations, states
from gem_tasks.domain.base import Value
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.partitions import Decision, ShardRow

_WINDOW_S = 120
_MOST_ROWS = 200_000
"""A partition with more results is shown without its shards, because counting them would take too long."""
_MOST_SHARDS = 400


class ShardState(Value):
    """One shard: segments, and results by stage."""

    shard: int
    segments: int
    done: tuple[int, ...]
    expected: tuple[int, ...]
    """Number of segments, or conversations, that each stage has to process there."""
    accepted: tuple[int, ...]


class Pace(Value):
    """Pace of a stage."""

    stage: str
    per_minute: float
    eta_s: float | None
    """Seconds until the stage has processed its segments; None without progress."""


class Partition(Value):
    """A partition with its shards."""

    state: PartitionState
    pace: tuple[Pace, ...]
    shards: tuple[ShardState, ...]
    decisions: tuple[Decision, ...]
    held: int
    """Texts that quotas hold before extraction; not counted in a large partition."""
    spared: int = 0
    """Texts with a synthesizer's trajectory, which extraction does not get; not counted in a large partition."""


def partition(db: ConsoleRows, key: str, chain: Chain | None) -> Partition:
    """Progress of a partition, shard by shard."""
    (state,) = states(db, [key], chain)
    results = sum(stage.done for stage in state.stages)
    small = chain is not None and results + state.segments <= _MOST_ROWS
    rows = db.partitions.shards(key, list(chain.places)) if chain and small else []
    sizes = db.partitions.shard_sizes(key) if small else {}
    held = db.partitions.held(key, list(chain.places)) if chain and small else {}
    spared = _spared(db, key, chain) if chain and small else {}
    return Partition(
        state=state,
        pace=tuple(_pace(state, chain, rows)) if chain else (),
        shards=tuple(_shards(sizes, chain, rows, held, spared)) if chain else (),
        decisions=tuple(db.partitions.decisions(key, 30)),
        held=sum(held.values()),
        spared=sum(spared.values()),
    )


def _spared(db: ConsoleRows, key: str, chain: Chain) -> dict[int, int]:
    extract = [link.recipe_id for link in chain.links if link.stage == "extract"]
    return db.partitions.spared(key, chain.spared_by, *extract) if chain.spared_by and extract else {}


def _pace(state: PartitionState, chain: Chain, rows: list[ShardRow]) -> list[Pace]:
    recent: Counter[int] = Counter()
    for row in rows:
        recent[chain.places[row.recipe_id]] += row.recent
    found: list[Pace] = []
    for at, (link, stage) in enumerate(zip(chain.links, state.stages, strict=True)):
        rate, left = recent[at] / _WINDOW_S, stage.expected - stage.done
        eta = left / rate if rate and left > 0 else None
        found.append(Pace(stage=link.stage, per_minute=round(rate * 60, 1), eta_s=eta))
    return found


def _shards(
    sizes: dict[int, int],
    chain: Chain,
    rows: list[ShardRow],
    held: dict[tuple[int, str], int],
    spared: dict[int, int],
) -> list[ShardState]:
    places = chain.places
    counts: Counter[tuple[int, int, str]] = Counter()
    for row in rows:
        for field in ("done", "accepted", "rejected"):
            counts[row.shard, places[row.recipe_id], field] += getattr(row, field)
    first = {(row.shard, row.recipe_id): row.done for row in rows}

    def of(shard: int, field: str) -> tuple[int, ...]:
        return tuple(counts[shard, at, field] for at in range(len(chain.links)))

    def expected(shard: int, size: int) -> tuple[int, ...]:
        found = [size]
        for at, link in enumerate(chain.links[1:], start=1):
            taken = counts[shard, at - 1, link.takes] if link.takes in ("accepted", "rejected") else 0
            taken -= held.get((shard, chain.links[at - 1].recipe_id), 0)
            taken -= spared.get(shard, 0) if link.stage == "extract" else 0
            if opening := chain.opening(at):
                done = sum(first.get((shard, recipe), 0) for recipe in opening)
                taken = conversations(counts[shard, at, "done"], taken, done)
            found.append(taken)
        return tuple(found)

    return [
        ShardState(
            shard=shard,
            segments=size,
            expected=expected(shard, size),
            done=of(shard, "done"),
            accepted=of(shard, "accepted"),
        )
        for shard, size in list(sizes.items())[:_MOST_SHARDS]
    ]
