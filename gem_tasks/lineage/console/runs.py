"""Queries of the tabs on Airflow's pages: the results of a run or a task instance."""

from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part


class RunRow(NamedTuple):
    """Results of a run in a stage of a partition with the same outcome."""

    partition: str
    stage: str
    recipe_id: str
    workflow: int | None
    rollout: int | None
    outcome: str
    segments: int
    calls: int
    usd: float | None
    tokens: int
    prompt_tokens: int
    cached_tokens: int


class TaskSegment(Value):
    """A segment that a task instance processed."""

    segment_id: str
    recipe_id: str
    stage: str
    outcome: str
    why: str | None
    detail: str
    calls: int
    usd: float | None
    latency_ms: int
    partition: str
    shard: int
    updated_at: datetime
    uri: str
    title: str | None
    document_id: str


class Runs(Part):
    """Results by the Airflow run that wrote them last."""

    def results(self, run_id: str) -> list[RunRow]:
        """Results of a run."""
        return self._db.all(RunRow, "console_run", run_id=run_id)

    def of_task(self, run_id: str, task_id: str, map_index: int | None, limit: int) -> list[TaskSegment]:
        """Results of a task instance; with `map_index` None, of all instances of the task."""
        values = {"run_id": run_id, "task_id": task_id, "map_index": map_index}
        return self._db.all(TaskSegment, "console_task", limit=limit, **values)
