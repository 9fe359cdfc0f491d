"""A discrete-event model of GEM: hourly partitions go through ingestion, stages in shards, gates and lineage.

A shard's task is the smallest thing that happens; its calls are a sum, since thousands of them average out.
"""

import math
import random
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from benchmarks.scale.costs import DAY, HOUR, LINE, Costs, Deployment, Stage

Events = Generator[simpy.Event, Any, None]


@dataclass
class Found:
    """What a simulation measured."""

    documents: int = 0
    segments: int = 0
    lags: list[float] = field(default_factory=list)
    """Seconds from a partition's arrival to its publication."""
    arrived: int = 0
    tasks: int = 0
    rows: int = 0
    objects: int = 0
    tokens_in: float = 0
    tokens_out: float = 0
    busy: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By resource: seconds of work, summed over its units."""
    units: dict[str, int] = field(default_factory=dict)
    until: float = 0

    def utilisation(self) -> dict[str, float]:
        """By resource: share of its units' time in which they work."""
        return {name: self.busy[name] / (units * self.until) for name, units in self.units.items()}


class Model:
    """One deployment over some hours.

    Args:
        rate: documents per hour, on average.
        existing: documents that the lineage has already.
        seed: of arrivals, outages, lost workers and latencies.
    """

    def __init__(self, costs: Costs, deployment: Deployment, rate: float, existing: float, seed: int) -> None:
        self.costs, self.with_, self.rate, self.existing = costs, deployment, rate, existing
        # One stream for each cause, so that a deployment changes nothing of what comes in.
        self.arriving, self.failing, self.calling = (
            random.Random(f"{seed} {cause}") for cause in ("in", "out", "calls")
        )
        self.env = simpy.Environment()
        self.found = Found()
        units = {
            "ingestion": 1,
            "scheduler": 1,
            "slots": deployment.workers * deployment.slots,
            "lineage": 1,
        }
        self.found.units = units | {"endpoint": deployment.in_flight}
        self.resources = {name: simpy.Resource(self.env, number) for name, number in units.items()}
        self.endpoint = simpy.Container(self.env, deployment.in_flight, init=deployment.in_flight)
        self.outages: list[tuple[float, float]] = []

    def run(self, hours: int) -> Found:
        """Lets partitions arrive for some hours. What is not published in the last of them is not waited for."""
        self.outages = list(self._outages(hours * HOUR))
        self.env.process(self._arrivals(hours))
        self.found.until = hours * HOUR
        self.env.run(until=self.found.until)
        return self.found

    def _outages(self, until: float) -> Generator[tuple[float, float]]:
        at = self.failing.expovariate(1 / self.with_.outage_every_s)
        while at < until:
            end = at + self.failing.expovariate(1 / self.with_.outage_s)
            yield at, end
            at = end + self.failing.expovariate(1 / self.with_.outage_every_s)

    def _arrivals(self, hours: int) -> Events:
        for hour in range(hours):
            day_and_night = 1 + 0.6 * math.sin(2 * math.pi * hour / 24)
            documents = round(self.rate * day_and_night * self.arriving.lognormvariate(-0.045, 0.3))
            self.found.arrived += 1
            self.env.process(self._partition(documents))
            yield self.env.timeout(HOUR)

    def _partition(self, documents: int) -> Events:
        arrived = self.env.now
        yield from self._work("ingestion", documents / self._ingest_rate())
        segments = round(documents * self.costs.segments_per_document)
        self.found.documents += documents
        self.found.segments += segments
        shards = max(1, math.ceil(segments / self.with_.shard))
        left = segments / shards
        for stage in LINE:
            yield self.env.all_of([self.env.process(self._shard(stage, round(left))) for _ in range(shards)])
            left *= stage.accepted
        yield from self._tasks(self.costs.tasks_per_partition)
        self.found.lags.append(self.env.now - arrived)

    def _ingest_rate(self) -> float:
        """Documents per second; fewer if the near-duplicate index outgrows memory, so that look-ups read from disk."""
        costs = self.costs
        own = costs.ingest_documents_per_s * costs.ingest_speed_up
        size = (self.existing + self.found.documents) * costs.segments_per_document * costs.index_bytes_per_segment
        missing = max(0.0, 1 - 0.5 * self.with_.postgres_memory / size) if size else 0.0
        reads = costs.segments_per_document * costs.bands * missing
        return 1 / (1 / own + reads / self.with_.postgres_reads_per_s)

    def _shard(self, stage: Stage, segments: int) -> Events:
        yield from self._tasks(1)
        with self.resources["slots"].request() as slot:
            yield slot
            began = self.env.now
            yield self.env.timeout(self.costs.task_start_s)
            at_once = max(1, min(segments, self.with_.calls_per_task))
            yield self.endpoint.get(at_once)
            seconds = self._calls(stage, segments, at_once)
            yield self.env.timeout(seconds)
            self.found.busy["endpoint"] += at_once * seconds
            yield self.endpoint.put(at_once)
            yield from self._work("lineage", segments / self._rows_per_s())
            self.found.busy["slots"] += self.env.now - began
        self.found.rows += segments
        self.found.objects += 2
        self.found.tokens_in += segments * stage.tokens_in
        self.found.tokens_out += segments * stage.tokens_out

    def _calls(self, stage: Stage, segments: int, at_once: int) -> float:
        """Seconds of a shard's calls, with outages and, rarely, a lost worker."""
        call = self.costs.first_token_s + stage.tokens_out / self.costs.tokens_per_s
        # The last calls do not fill its share: the slowest takes three times as long.
        seconds = segments * call / at_once * self.calling.uniform(0.95, 1.05) + 2 * call
        if self.calling.random() < 1 - math.exp(-seconds / self.with_.worker_lost_every_s):
            seconds += self.with_.lost_task_s
        end = self.env.now + seconds
        for down, up in self.outages:
            if up > self.env.now and down < end:
                end += up - max(down, self.env.now)
        return end - self.env.now

    def _rows_per_s(self) -> float:
        if self.with_.partition_key:
            return self.costs.partition_key_rows_per_s
        results = 1 + sum(0.14 for _ in LINE[1:])
        before = self.existing * self.costs.segments_per_document * results
        index = (before + self.found.rows) * self.costs.key_bytes
        return self.costs.warm_rows_per_s if index < self.with_.postgres_memory else self.costs.cold_rows_per_s

    def _tasks(self, number: int) -> Events:
        self.found.tasks += number
        yield from self._work("scheduler", number * self.costs.task_scheduler_s)

    def _work(self, name: str, seconds: float) -> Events:
        with self.resources[name].request() as turn:
            yield turn
            yield self.env.timeout(seconds)
            self.found.busy[name] += seconds


def rate_of(documents: float, days: float) -> float:
    """Documents per hour."""
    return documents / (days * DAY / HOUR)
