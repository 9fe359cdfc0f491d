"""Results of stages for a segment, and their outputs in the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.errors import StoreError
from gem_tasks.lineage.console.trajectories import ResultRow, SegmentRow
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys, shards

T = TypeVar("T", bound=Value)


class ResultView(Value):
    """The result of a stage."""

    stage: str
    recipe_id: str
    outcome: str
    why: str | None
    detail: str
    model: str | None
    prompt_sha256: str | None
    attempts: int
    calls: int
    tokens: int
    usd: float | None
    latency_ms: int
    airflow_run_id: str | None
    airflow_task_id: str | None
    airflow_map_index: int | None
    airflow_try: int | None
    updated_at: datetime
    thoughts: str | None = None
    """The model's thoughts before the answer; personal data in them is not replaced."""
    output: Json | None = None
    """The output, if no other field of the view shows it; personal data in it is not replaced."""


def result_view(row: ResultRow, thoughts: str | None = None, output: Json | None = None) -> ResultView:
    """A row of the lineage for readers."""
    known = {name: value for name, value in row._asdict().items() if name in ResultView.model_fields}
    why, tokens = row.reason or row.error_class, row.prompt_tokens + row.completion_tokens
    return ResultView(**known, why=why, tokens=tokens, thoughts=thoughts, output=output)


def way_to(results: Sequence[ResultRow], recipe_id: str) -> list[ResultRow]:
    """The results under the recipe and its ancestors, in stage order."""
    by_recipe = {row.recipe_id: row for row in results}
    way: list[ResultRow] = []
    key: str | None = recipe_id
    while key and (row := by_recipe.get(key)):
        way.append(row)
        key = row.parent_id
    return way[::-1]


def segment_of(work: Workspace, place: SegmentRow) -> Segment:
    """The segment with its text.

    Raises:
        StoreError: the store lacks it.
    """
    data = work.fetch(keys.segments_key(place.partition, place.shard))
    found = [each for each in shards.find_segments(data, place.document_id) if each.segment_id == place.segment_id]
    if not found:
        raise StoreError(f"the text of {place.segment_id} is missing from the store, but the lineage refers to it")
    return found[0]


def output_of(work: Workspace, row: ResultRow | None, segment_id: str, of: type[T]) -> T | None:
    """The output of a stage; None if it has none."""
    if row is None or row.outcome == "failed":
        return None
    outcome = shards.find_outcome(work.fetch(row.object_key), segment_id)
    return of.model_validate_json(outcome.payload) if outcome and outcome.payload else None
