"""Routes that act: for users who may start runs of `gem_synthesize`, and only from pages of this origin."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request
from pydantic import Field, field_validator, model_validator

from gem_console.airflow_calls import Airflow
from gem_console.bodies import body_of, described
from gem_console.routes.common import ReaderDep
from gem_tasks.airflow_names import INGEST, SYNTHESIZE
from gem_tasks.domain.base import Value
from gem_tasks.pipeline.upkeep import failures
from gem_tasks.pipeline.upkeep.failures import FailureFilter

router = APIRouter(tags=["act"])

"""Its backfill announces past partitions again; runs then recompute what current prompts and models made stale."""


class RetryAsked(Value):
    """Which failures to retry."""

    which: FailureFilter
    dry_run: bool = False
    """Only count them."""


class Started(Value):
    """The run started for a partition, or the reason why none was."""

    partition: str
    segments: int
    run_id: str | None = None
    problem: str | None = None


class Retried(Value):
    """The result of a retry."""

    segments: int
    runs: tuple[Started, ...]


@router.post("/failures/retry", openapi_extra=described(RetryAsked))
async def retry(
    request: Request, reader: ReaderDep, asked: Annotated[RetryAsked, Depends(body_of(RetryAsked))]
) -> Retried:
    """Retries failed segments only: starts a run for each of their partitions, as this user.

    The next run of the partition retries a marked segment even if this run could not be started.
    """
    found = await reader.do(lambda work: failures.retry(work, asked.which, dry_run=asked.dry_run))
    runs = [Started(partition=partition, segments=count) for partition, count in sorted(found.items())]
    if not asked.dry_run:
        async with Airflow(request) as airflow:
            runs = [await _start(airflow, run) for run in runs]
    return Retried(segments=sum(found.values()), runs=tuple(runs))


async def _start(airflow: Airflow, run: Started) -> Started:
    answer = await airflow.trigger(SYNTHESIZE, run.partition, {})
    return run.model_copy(update={"run_id": answer.run_id, "problem": answer.problem})


_LONGEST = timedelta(days=366)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class BackfillAsked(Value):
    """Which partitions to announce again, both ends included; up to a year, because Airflow lists them all."""

    first: datetime
    last: datetime
    max_active_runs: int = Field(default=2, ge=1, le=16)
    dry_run: bool = True

    @field_validator("first", "last")
    @classmethod
    def _in_time(cls, at: datetime) -> datetime:
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if not _EARLIEST <= at <= datetime.now(UTC) + timedelta(days=1):
            raise ValueError("no partition is that early or that late")
        return at

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not timedelta(0) <= self.last - self.first <= _LONGEST:
            raise ValueError("`first` must not be after `last`, nor more than a year before it")
        return self


class Backfill(Value):
    """The answer of Airflow: the number of runs, and the id of the backfill once it is started."""

    runs: int | None = None
    backfill_id: int | None = None
    problem: str | None = None


@router.post("/backfills", openapi_extra=described(BackfillAsked))
async def backfill(request: Request, asked: Annotated[BackfillAsked, Depends(body_of(BackfillAsked))]) -> Backfill:
    """Starts Airflow's backfill of `gem_ingest` as this user, or returns the number of its runs."""
    body = {
        "dag_id": INGEST,
        "from_date": asked.first.isoformat(),
        "to_date": asked.last.isoformat(),
        "max_active_runs": asked.max_active_runs,
        "reprocess_behavior": "completed",
        "run_backwards": False,
        "dag_run_conf": {},
    }
    async with Airflow(request) as airflow:
        found, problem = await airflow.post(f"/api/v2/backfills{'/dry_run' if asked.dry_run else ''}", body)
    return Backfill(runs=found.get("total_entries"), backfill_id=found.get("id"), problem=problem)
