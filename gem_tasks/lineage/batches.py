"""Lineage of batches: GEM announces them before it creates them, so that it submits none twice."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import FaultCounts
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.text import jsonb

EndState = Literal["collected", "failed", "lost"]


class Place(Value):
    """One stage over one shard, to which batches belong."""

    recipe_id: str
    partition: str
    shard: int


class BatchRow(Value):
    """A recorded batch."""

    gem_key: str
    batch_id: str | None = None
    """None while it is only announced."""
    state: Literal["announced", "submitted", "collected"] = "announced"
    custom_ids: tuple[str, ...]
    faults: dict[str, FaultCounts] = Field(default_factory=dict)
    """Faults by custom id, for requests without an answer."""
    usd_reserved: float = 0.0
    """Amount reserved from the budget of its run until the cost is known."""
    airflow_run_id: str | None = None


class Batches(Part):
    """Records and queries of `pipeline.batch`."""

    def announce(self, place: Place, row: BatchRow) -> None:
        """Records a batch before its creation."""
        self._db.run(
            "announce_batch",
            **place.model_dump(),
            gem_key=row.gem_key,
            custom_ids=list(row.custom_ids),
            usd_reserved=row.usd_reserved,
            airflow_run_id=row.airflow_run_id,
        )

    def submitted(self, gem_key: str, batch_id: str) -> None:
        """Records the id of a batch after its creation."""
        self._db.run("batch_submitted", gem_key=gem_key, batch_id=batch_id)

    def ended(self, gem_key: str, state: EndState, faults: Mapping[str, FaultCounts]) -> None:
        """Records the end of a batch, once its answers are saved."""
        self._db.run("batch_ended", gem_key=gem_key, state=state, faults=jsonb(faults))

    def open(self, place: Place) -> list[BatchRow]:
        """Batches of an unfinished shard."""
        return self._db.all(BatchRow, "open_batches", **place.model_dump())

    def done(self, place: Place) -> None:
        """Records that the shard is finished."""
        self._db.run("batches_done", **place.model_dump())
