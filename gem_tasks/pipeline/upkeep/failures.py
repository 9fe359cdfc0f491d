"""Quarantine: failed segments with their last answers; marks them for another attempt."""

from collections import Counter, defaultdict

from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import ErrorClass, StoreError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import shards


class FailureFilter(Value):
    """Selects failures; None means any."""

    error_class: ErrorClass | None = None
    stage: StageName | None = None
    partition: str | None = None


class Failure(Value):
    """A segment for which a stage has no result."""

    segment_id: str
    uri: str
    stage: StageName
    recipe_id: str
    partition: str
    shard: int
    error_class: ErrorClass
    detail: str
    calls: int
    object_key: str
    set_aside: bool = False
    """Several runs ended without an answer to it, so GEM stopped asking for it."""
    raw: str | None = None
    """The model's last answer, if there was one."""


class Failures(Value):
    """The newest failures, and the total by stage and class."""

    newest: list[Failure]
    counts: dict[tuple[StageName, ErrorClass], int]
    set_aside: int = 0
    """Number of failures that GEM stopped asking for because several runs ended without an answer."""

    @property
    def total(self) -> int:
        """Number of all failures."""
        return sum(self.counts.values())


def failures(work: Workspace, which: FailureFilter, limit: int) -> Failures:
    """Failures under the current recipes."""
    with work.ledger() as ledger:
        rows = ledger.failures.newest(work.every_recipe_id(), limit, **which.model_dump())
        counted = ledger.failures.counts(work.every_recipe_id(), **which.model_dump())
    raws = _raws(work, {row.object_key for row in rows})
    newest = [
        Failure.model_validate({**row._asdict(), "raw": raws[row.object_key].get(row.segment_id)}) for row in rows
    ]
    counts: Counter[tuple[str, str]] = Counter()
    for row in counted:
        counts[row.stage, row.error_class] += row.segments
    return Failures.model_validate(
        {"newest": newest, "counts": dict(counts), "set_aside": sum(row.set_aside for row in counted)}
    )


def retry(work: Workspace, which: FailureFilter, *, dry_run: bool) -> dict[str, int]:
    """Marks failed segments for another attempt; returns their number by partition. All other results stay."""
    found: Counter[str] = Counter()
    with work.ledger() as ledger, ledger.transaction():
        for row in ledger.failures.counts(work.every_recipe_id(), **which.model_dump()):
            found[row.partition] += row.segments
        if not dry_run:
            ledger.failures.mark(work.every_recipe_id(), **which.model_dump())
    return dict(found)


def _raws(work: Workspace, object_keys: set[str]) -> dict[str, dict[str, str | None]]:
    """Last answers by object and segment; None where the object is missing."""
    found: dict[str, dict[str, str | None]] = defaultdict(dict)
    for key in object_keys:
        try:
            found[key] = {outcome.segment_id: outcome.raw for outcome in shards.decode_outcomes(work.fetch(key))}
        except StoreError:
            continue
    return found
