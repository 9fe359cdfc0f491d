"""Results of an Airflow run or task instance, for the tabs on Airflow's pages."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from gem_tasks.console.chains import Chain, chosen
from gem_tasks.console.overview import PartitionState, states
from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import EVERY_STAGE
from gem_tasks.domain.take import Take
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.partitions import Decision
from gem_tasks.lineage.console.runs import TaskSegment

TASK_ROWS = 500


class RunStage(Value):
    """Results of a run in a stage of a partition."""

    partition: str
    stage: str
    recipe_id: str
    take: str | None = None
    """Which conversation of each text, or which world; None for the first one that is written in one pass."""
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    calls: int = 0
    tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens that came from the endpoint's cache."""
    usd: float | None = None

    @property
    def cached(self) -> float | None:
        """Share of prompt tokens that came from the endpoint's cache; None if none did."""
        return self.cached_tokens / self.prompt_tokens if self.cached_tokens and self.prompt_tokens else None


class Run(Value):
    """Results of a run, and the progress of its partitions."""

    run_id: str
    stages: tuple[RunStage, ...]
    partitions: tuple[PartitionState, ...]
    decisions: tuple[Decision, ...]


class Task(Value):
    """Results of a task instance; after several tries, those of the last one."""

    run_id: str
    task_id: str
    map_index: int | None
    segments: tuple[TaskSegment, ...]
    counts: dict[str, int]
    more: bool


def run(db: ConsoleRows, run_id: str, chains: Sequence[Chain]) -> Run:
    """The run's results by stage, and the progress of its partitions under the chain that it worked on."""
    merged: defaultdict[tuple[str, str, str], dict[str, Any]] = defaultdict(dict)
    for row in db.runs.results(run_id):
        found = merged[row.partition, row.stage, row.recipe_id]
        found[row.outcome] = row.segments
        take = Take(workflow=row.workflow or 0, rollout=row.rollout or 0)
        found["take"] = take.at(row.stage) or None
        for name in ("calls", "tokens", "prompt_tokens", "cached_tokens"):
            found[name] = found.get(name, 0) + getattr(row, name)
        if row.usd is not None:
            found["usd"] = found.get("usd", 0.0) + row.usd
    stages = [
        RunStage(partition=partition, stage=stage, recipe_id=recipe, **numbers)
        for (partition, stage, recipe), numbers in merged.items()
    ]
    keys = sorted({stage.partition for stage in stages})
    place = {stage: at for at, stage in enumerate(EVERY_STAGE)}
    stages.sort(key=lambda each: (each.partition, place[each.stage], each.take or ""))
    chain = chosen(chains, stages[-1].recipe_id if stages else None)
    decided = (each for key in keys for each in db.partitions.decisions(key, 30))
    return Run(
        run_id=run_id,
        stages=tuple(stages),
        partitions=tuple(states(db, keys, chain)),
        decisions=tuple(each for each in decided if each.airflow_run_id == run_id),
    )


def task(db: ConsoleRows, run_id: str, task_id: str, map_index: int | None) -> Task:
    """Segments whose last result a task instance wrote."""
    rows = db.runs.of_task(run_id, task_id, map_index, TASK_ROWS + 1)
    segments = rows[:TASK_ROWS]
    counts: defaultdict[str, int] = defaultdict(int)
    for segment in segments:
        counts[segment.outcome] += 1
    return Task(
        run_id=run_id,
        task_id=task_id,
        map_index=map_index,
        segments=tuple(segments),
        counts=dict(counts),
        more=len(rows) > TASK_ROWS,
    )
