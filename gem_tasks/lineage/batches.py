"""Lineage of batches: announced before they are created, so that none is ever submitted twice."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import FaultCounts
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.text import jsonb

EndState = Literal["collected", "failed", "lost"]


class Place(Value):
    """The stage's work over one shard, which batches belong to."""

    recipe_id: str
    partition: str
    shard: int


class BatchRow(Value):
    """A batch as it is recorded."""

    gem_key: str
    batch_id: str | None = None
    """None while it is announced only."""
    state: Literal["announced", "submitted", "collected"] = "announced"
    custom_ids: tuple[str, ...]
    faults: dict[str, FaultCounts] = Field(default_factory=dict)
    """By custom id, of requests that brought no answer."""
    usd_reserved: float = 0.0
    """Drawn from the budget of its run until it is known what it cost."""
    airflow_run_id: str | None = None


class Batches(Part):
    """What `pipeline.batch` records and asks."""

    def announce(self, place: Place, row: BatchRow) -> None:
        """Before it is created."""
        self._db.run(
            "announce_batch",
            **place.model_dump(),
            gem_key=row.gem_key,
            custom_ids=list(row.custom_ids),
            usd_reserved=row.usd_reserved,
            airflow_run_id=row.airflow_run_id,
        )

    def submitted(self, gem_key: str, batch_id: str) -> None:
        """After it was created."""
        self._db.run("batch_submitted", gem_key=gem_key, batch_id=batch_id)

    def ended(self, gem_key: str, state: EndState, faults: Mapping[str, FaultCounts]) -> None:
        """After what it brought is safe."""
        self._db.run("batch_ended", gem_key=gem_key, state=state, faults=jsonb(faults))

    def open(self, place: Place) -> list[BatchRow]:
        """Those of a shard that is not finished."""
        return self._db.all(BatchRow, "open_batches", **place.model_dump())

    def done(self, place: Place) -> None:
        """The shard is finished."""
        self._db.run("batches_done", **place.model_dump())
