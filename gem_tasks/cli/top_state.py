"""What `gem top` shows, put together from three sources, each of which may be missing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import computed_field

from gem_tasks.airflow_names import SYNTHESIZE, WORLDS
from gem_tasks.domain.base import Value
from gem_tasks.domain.pulse import Pulse
from gem_tasks.lineage.top import ErrorRow, TotalRow

SILENT_S = 20.0
"""Age from which a pulse does not count: its task died, or its store does not answer."""
_ORDER = ("running", "queued")


class Active(Value):
    """A run that Airflow knows."""

    dag: str
    run_id: str
    partition: str | None
    state: str
    started_at: datetime | None
    tasks: dict[str, int]
    """Number of tasks by state: running, queued, deferred, failed."""
    asks_a_person: bool = False


class Ledgered(Value):
    """What Postgres knows of the partitions that are worked on."""

    progress: dict[str, dict[str, tuple[int, int]]]
    """Done and total by stage, by `progress_key`."""
    totals: tuple[TotalRow, ...]
    errors: tuple[ErrorRow, ...]


class Run(Value):
    """A run of Airflow, or of `gem synth`."""

    dag: str
    """Empty for `gem synth`."""
    run_id: str
    partition: str | None
    state: str
    started_at: datetime | None
    tasks: dict[str, int]
    asks_a_person: bool
    stages: dict[str, tuple[int, int]]
    """Done and total of the stages that have work, in pipeline order."""
    now_in: tuple[str, ...]
    """Stages that work now."""
    done_per_s: float
    eta_s: float | None
    """Seconds until the end of the stages that work now, at the present rate; None without a rate. Later stages are
    not in it: how many segments reach them is unknown."""
    usd: float | None
    """Cost of the partition so far, in all of its runs; None if no price is known."""
    tokens: int


class Endpoint(Value):
    """A model at an endpoint, over all running tasks."""

    endpoint: str
    model: str
    in_flight: int
    limit: int
    ceiling: int
    waiting: int
    halved: int
    paused_s: float
    requests: int
    faults: dict[str, int]

    @computed_field
    @property
    def health(self) -> str:
        """In one or two words: the worst that is known."""
        if self.paused_s:
            return f"paused {self.paused_s:.0f} s"
        if self.requests and sum(self.faults.values()) >= self.requests:
            return "no answers"
        if self.halved:
            return "throttled"
        return "at its limit" if self.waiting and self.limit >= self.ceiling else "ok"


class Failed(Value):
    """Failures of one class in a stage."""

    stage: str
    why: str
    segments: int


class Top(Value):
    """One picture."""

    at: datetime
    unavailable: tuple[str, ...]
    """One line for each source that did not answer."""
    answered: bool = True
    """Whether Airflow and the tasks have answered at least once; until then, runs may be missing."""
    runs: tuple[Run, ...]
    shards: tuple[Pulse, ...]
    silent: tuple[Pulse, ...]
    """Shards whose tasks have not reported for a while."""
    endpoints: tuple[Endpoint, ...]
    failures: tuple[Failed, ...]
    errors: tuple[ErrorRow, ...]

    @computed_field
    @property
    def in_flight(self) -> int:
        """Requests in flight, over all tasks."""
        return sum(each.in_flight for each in self.endpoints)


def picture(
    now: float,
    unavailable: Sequence[str],
    active: Sequence[Active],
    pulses: Sequence[Pulse],
    ledgered: Ledgered | None,
) -> Top:
    """Puts the sources together.

    Args:
        now: seconds since 1970.
        unavailable: one line for each source without an answer.
        active: Airflow's runs.
        pulses: what running tasks said last.
        ledgered: None while Postgres has not answered.
    """
    fresh = [each for each in pulses if now - each.at <= SILENT_S]
    return Top(
        at=datetime.fromtimestamp(now, UTC),
        unavailable=tuple(unavailable),
        runs=tuple(_runs(active, fresh, ledgered)),
        shards=tuple(sorted(fresh, key=lambda each: (each.partition, each.stage, each.shard))),
        silent=tuple(each for each in pulses if now - each.at > SILENT_S),
        endpoints=tuple(_endpoints(fresh)),
        failures=tuple(_failures(ledgered.totals if ledgered else ())),
        errors=ledgered.errors if ledgered else (),
    )


def _runs(active: Sequence[Active], pulses: Sequence[Pulse], ledgered: Ledgered | None) -> Iterable[Run]:
    of_run: defaultdict[str, list[Pulse]] = defaultdict(list)
    for pulse in pulses:
        of_run[pulse.run_id].append(pulse)
    known = {each.run_id for each in active}
    others = [
        Active(
            dag="", run_id=run_id, partition=mine[0].partition, state="running", tasks={"running": len(mine)},
            started_at=datetime.fromtimestamp(min(each.started_at for each in mine), UTC),
        )
        for run_id, mine in of_run.items() if run_id not in known
    ]  # fmt: skip
    for each in sorted([*active, *others], key=lambda run: (_ORDER.index(run.state), run.dag, run.run_id)):
        yield _run(each, of_run[each.run_id], ledgered)


def _run(active: Active, pulses: Sequence[Pulse], ledgered: Ledgered | None) -> Run:
    key = progress_key(active)
    stages = ledgered.progress.get(key, {}) if ledgered and key else {}
    totals = [row for row in ledgered.totals if row.partition == active.partition] if ledgered and key else []
    now_in = tuple(dict.fromkeys(pulse.stage for pulse in pulses))
    rate = sum(pulse.done_per_s for pulse in pulses)
    left = sum(
        max(0, stages[name][1] - stages[name][0]) if name in stages else
        sum(pulse.records - pulse.done for pulse in pulses if pulse.stage == name)
        for name in now_in
    )  # fmt: skip
    return Run(
        **active.model_dump(exclude={"partition"}),
        partition=active.partition,
        stages={name: (done, total) for name, (done, total) in stages.items() if total or done},
        now_in=now_in,
        done_per_s=rate,
        eta_s=left / rate if rate else None,
        usd=sum(row.usd for row in totals) if any(row.priced for row in totals) else None,
        tokens=sum(row.tokens for row in totals),
    )


def progress_key(active: Active) -> str | None:
    """The key of its progress; None for a run without stages."""
    if active.dag not in ("", SYNTHESIZE, WORLDS) or active.partition is None:
        return None
    return f"{active.partition} in worlds" if active.dag == WORLDS else active.partition


def _endpoints(pulses: Sequence[Pulse]) -> Iterable[Endpoint]:
    grouped: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(lambda: {"faults": Counter(), "paused_s": 0.0})
    for each in (endpoint for pulse in pulses for endpoint in pulse.endpoints):
        found = grouped[each.endpoint, each.model]
        for name in ("in_flight", "limit", "ceiling", "waiting", "halved", "requests"):
            found[name] = found.get(name, 0) + getattr(each, name)
        found["paused_s"] = max(found["paused_s"], each.paused_s)
        found["faults"].update(each.faults)
    for (endpoint, model), found in sorted(grouped.items()):
        yield Endpoint(endpoint=endpoint, model=model, **found)


def _failures(totals: Sequence[TotalRow]) -> Iterable[Failed]:
    counts: Counter[tuple[str, str]] = Counter()
    for row in totals:
        if row.outcome == "failed":
            counts[row.stage, row.why] += row.segments
    for (stage, why), segments in counts.most_common():
        yield Failed(stage=stage, why=why, segments=segments)
