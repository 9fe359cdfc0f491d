"""From documents to published trajectories: the funnel, work and cost over time, and the state of each partition."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from gem_tasks.console.chains import Chain
from gem_tasks.console.span import Filters
from gem_tasks.domain.base import Value
from gem_tasks.domain.costs import known_total
from gem_tasks.domain.stage import ACCEPTING
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.overview import Activity, Total
from gem_tasks.lineage.console.partitions import Decision, PartitionIngested, PartitionStage
from gem_tasks.lineage.console.span import PartitionRange

PAPER_YIELDS = {"filter": 0.14}
"""Yields that the paper reports, which are only those of the filter."""
PARTITIONS = 24
_FRESH = timedelta(minutes=2)


class Why(Value):
    """A reason, and the number of segments that it applies to."""

    outcome: str
    reason: str
    segments: int


class Step(Value):
    """One step of the funnel. `taken` is the number that the step before accepted."""

    name: str
    texts: int | None = None
    """For `generate` and `world`: the texts of which it makes the conversations that it and the later steps count."""
    recipe_id: str | None = None
    taken: int
    accepted: int
    rejected: int = 0
    failed: int = 0
    calls: int = 0
    tokens: int = 0
    usd: float | None = None
    """None if no price is known."""
    latency_s: float = 0
    why: tuple[Why, ...] = ()
    paper: float | None = None
    """The yield that the paper reports."""
    held: int = 0
    """Number that a quota holds before this step."""

    @property
    def ended(self) -> int:
        """Number with an outcome."""
        return self.accepted + self.rejected + self.failed

    @property
    def waiting(self) -> int:
        """Number without an outcome, except held ones."""
        return max(0, self.taken - self.ended - self.held)

    @property
    def share(self) -> float | None:
        """The yield: share of accepted among those with an outcome."""
        return self.accepted / self.ended if self.ended else None


class Point(Value):
    """The results of an hour, a day or a week."""

    at: datetime
    results: int
    accepted: int
    failed: int
    trajectories: int
    """Accepted by the validation, with or without a revision."""
    calls: int
    usd: float


class StageState(Value):
    """Progress of a stage of a partition."""

    stage: str
    expected: int
    done: int
    accepted: int
    failed: int
    running: bool


class PartitionState(Value):
    """Progress of a partition."""

    partition: str
    documents: int
    segments: int
    stages: tuple[StageState, ...]
    usd: float
    updated_at: datetime | None

    @property
    def running(self) -> bool:
        """Whether a stage had results within the last two minutes."""
        return any(stage.running for stage in self.stages)


class Overview(Value):
    """The first page."""

    filters: Filters
    chain: str | None
    funnel: tuple[Step, ...]
    published: int
    usd: float | None
    usd_per_trajectory: float | None
    calls: int
    series: tuple[Point, ...]
    partitions: tuple[PartitionState, ...]
    failures: tuple[Why, ...]
    decisions: tuple[Decision, ...]


def overview(db: ConsoleRows, filters: Filters, chain: Chain | None) -> Overview:
    """The contents of the first page, from rollups."""
    steps = funnel(db, filters, chain)
    stages = [step for step in steps if step.recipe_id]
    usd = known_total(step.usd for step in stages)
    accepted = sum(step.accepted for step in stages if step.name in ACCEPTING)
    failed = [why.model_copy(update={"reason": f"{step.name}: {why.reason}"}) for step in stages for why in step.why
              if why.outcome == "failed"]  # fmt: skip
    return Overview(
        filters=filters,
        chain=chain.id if chain else None,
        funnel=tuple(steps),
        published=db.overview.published(filters.partitions),
        usd=usd,
        usd_per_trajectory=usd / accepted if usd and accepted else None,
        calls=sum(step.calls for step in stages),
        series=tuple(series(db, filters)),
        partitions=tuple(partitions(db, filters, chain)),
        failures=tuple(sorted(failed, key=lambda why: -why.segments)),
        decisions=tuple(db.partitions.decisions(None, 10)),
    )


def funnel(db: ConsoleRows, filters: Filters, chain: Chain | None) -> list[Step]:
    """The steps: documents, segments, then each stage of the chain."""
    ingested = db.overview.ingested(filters.partitions)
    read = sum(row.documents for row in ingested if not row.reason)
    refused = [Why(outcome="rejected", reason=row.reason, segments=row.documents) for row in ingested if row.reason]
    total = read + sum(why.segments for why in refused)
    segments = sum(row.segments for row in ingested)
    steps = [
        Step(name="documents", taken=total, accepted=read, rejected=total - read, why=tuple(refused)),
        Step(name="segments", taken=segments, accepted=segments),
    ]
    if chain:
        places = chain.places
        rows: defaultdict[int, list[Total]] = defaultdict(list)
        for row in db.overview.totals(filters.partitions, list(places)):
            rows[places[row.recipe_id]].append(row)
        held: Counter[str | None] = Counter()
        for each in db.overview.held(filters.partitions, list(places)):
            held[each.recipe_id] += each.texts
        spared = sum(spared_texts(db, filters.partitions, chain).values())
        for at, link in enumerate(chain.links):
            taken, before = getattr(steps[-1], link.takes, 0), held[steps[-1].recipe_id]
            taken -= spared if link.stage == "extract" else 0
            step = _step(link.stage, link.recipe_id, taken, rows[at]).model_copy(update={"held": before})
            if chain.others and (opening := chain.opening(at)):
                first = sum(row.segments for row in rows[at] if row.recipe_id in opening)
                texts = None if link.stage == "simulate" else taken
                step = step.model_copy(update={"taken": conversations(step.ended, taken, first), "texts": texts})
            steps.append(step)
    return steps


def spared_texts(db: ConsoleRows, which: PartitionRange, chain: Chain) -> dict[str, int]:
    """Texts that a synthesizer spares the stages from `extract` on, by partition."""
    extract = [link.recipe_id for link in chain.links if link.stage == "extract"]
    return db.overview.spared(which, chain.spared_by, *extract) if chain.spared_by and extract else {}


def conversations(made: int, texts: int, first: int) -> int:
    """Conversations or worlds that a stage is to make, as far as is known: further ones count once they are made.

    Args:
        made: conversations with an outcome.
        texts: texts that `extract` accepted; for `simulate`, worlds with tasks.
        first: those whose first conversation, or world, has an outcome.
    """
    return made + max(0, texts - first)


def _step(name: str, recipe_id: str, taken: int, rows: Sequence[Total]) -> Step:
    counts: defaultdict[str, int] = defaultdict(int)
    reasons: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counts[row.outcome] += row.segments
        if row.why and row.segments:
            reasons[row.outcome, row.why] += row.segments
    why = [Why(outcome=outcome, reason=reason, segments=count) for (outcome, reason), count in reasons.items()]
    return Step(
        name=name,
        recipe_id=recipe_id,
        taken=taken,
        accepted=counts["accepted"],
        rejected=counts["rejected"],
        failed=counts["failed"],
        calls=sum(row.calls for row in rows),
        tokens=sum(row.tokens for row in rows),
        usd=sum(row.usd for row in rows) if any(row.priced for row in rows) else None,
        latency_s=sum(row.latency_ms for row in rows) / 1000,
        why=tuple(sorted(why, key=lambda each: (-each.segments, each.reason))),
        paper=PAPER_YIELDS.get(name),
    )


def series(db: ConsoleRows, filters: Filters) -> list[Point]:
    """Work and cost over time, for all recipes together, without gaps."""
    rows: defaultdict[datetime, list[Activity]] = defaultdict(list)
    for row in db.overview.series(filters.series):
        rows[row.at].append(row)
    return [_point(at, rows.get(at, ())) for at in times(rows, filters.step)]


def _point(at: datetime, rows: Sequence[Activity]) -> Point:
    accepted = [row for row in rows if row.outcome == "accepted"]
    return Point(
        at=at,
        results=sum(row.results for row in rows),
        accepted=sum(row.results for row in accepted),
        failed=sum(row.results for row in rows if row.outcome == "failed"),
        trajectories=sum(row.results for row in accepted if row.stage in ACCEPTING),
        calls=sum(row.calls for row in rows),
        usd=sum((row.usd for row in rows), 0.0),
    )


def times(found: Mapping[datetime, object], step: str) -> list[datetime]:
    """Every hour, day or week from the first result until now; up to 400."""
    if not found:
        return []
    length = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}[step]
    at, last, times = min(found), max(max(found), _floor(datetime.now(UTC), step)), list[datetime]()
    while at <= last:
        times.append(at)
        at += length
    return times[-400:]


def _floor(at: datetime, step: str) -> datetime:
    """The beginning of its hour, day or week, as Postgres truncates."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    if step == "hour":
        return hour
    day = hour.replace(hour=0)
    return day if step == "day" else day - timedelta(days=day.weekday())


def partitions(db: ConsoleRows, filters: Filters, chain: Chain | None) -> list[PartitionState]:
    """The newest partitions of the range."""
    return states(db, db.partitions.newest(filters.partitions, PARTITIONS), chain, filters.source_id)


def states(
    db: ConsoleRows, keys: Sequence[str], chain: Chain | None, source_id: int | None = None
) -> list[PartitionState]:
    """Progress of these partitions."""
    ingested = db.partitions.ingested(keys, source_id)
    rows: defaultdict[str, list[PartitionStage]] = defaultdict(list)
    for row in db.partitions.stages(keys, source_id):
        rows[row.partition_key].append(row)
    held: dict[tuple[str, str], int] = {}
    spared: dict[str, int] = {}
    if chain and keys:
        which = PartitionRange(min(keys), max(keys), source_id)
        found = db.overview.held(which, list(chain.places))
        held = {(row.partition, row.recipe_id): row.texts for row in found}
        spared = spared_texts(db, which, chain)
    return [_state(key, ingested.get(key), rows[key], chain, held, spared.get(key, 0)) for key in keys]


def _state(
    key: str,
    ingested: PartitionIngested | None,
    rows: Sequence[PartitionStage],
    chain: Chain | None,
    held: Mapping[tuple[str, str], int],
    spared: int,
) -> PartitionState:
    segments = ingested.segments if ingested else 0
    stages: list[StageState] = []
    counts, before = Counter({"accepted": segments}), ""
    places = chain.places if chain else {}
    for at, link in enumerate(chain.links if chain else ()):
        expected, before = counts.get(link.takes, 0) - held.get((key, before), 0), link.recipe_id
        expected -= spared if link.stage == "extract" else 0
        mine = [row for row in rows if places.get(row.recipe_id) == at]
        counts = Counter[str]()
        for row in mine:
            counts[row.outcome] += row.segments
        done = counts.total()
        if chain and (opening := chain.opening(at)):
            first = sum(row.segments for row in mine if row.recipe_id in opening)
            expected = conversations(done, expected, first)
        fresh = any(row.updated_at > datetime.now(UTC) - _FRESH for row in mine)
        stages.append(
            StageState(
                stage=link.stage,
                expected=expected,
                done=done,
                accepted=counts.get("accepted", 0),
                failed=counts.get("failed", 0),
                running=fresh and done < expected,
            )
        )
    return PartitionState(
        partition=key,
        documents=ingested.documents if ingested else 0,
        segments=segments,
        stages=tuple(stages),
        usd=sum((row.usd for row in rows), 0.0),
        updated_at=max((row.updated_at for row in rows), default=None),
    )
