"""`gem gc`: removes objects that nothing refers to any more, class by class, over streamed listings.

| class                 | removed when                                                                                 |
|-----------------------|----------------------------------------------------------------------------------------------|
| `unreferenced`        | a segment or stage object that no row names: a writer died before its transaction            |
| `old_recipes`         | results of recipes that are not current, not used for `retention_days`, in no current        |
|                       | dataset or audit                                                                             |
| `journals`            | the shard is finished, the recipe is old, or no writes for `retention_days`; of estimates    |
|                       | only the last                                                                                |
| `pulses`              | its task was killed: running tasks replace theirs, ending ones delete it                     |
| `superseded_datasets` | superseded for `retention_days` and never audited; also folders that no row names            |
| `prefilters`          | not used for `retention_days`                                                                |
| `unfinished_writes`   | temporary files of a directory store                                                         |
| `changes`             | rows of people's changes to trajectories of documents withdrawn for `retention_days`: they   |
|                       | quote texts that no longer exist                                                             |

It skips objects younger than a day. Before it deletes a batch, it blocks new writers (`Ledger.writing`), compares each
object's age with the listing, and asks Postgres again: a run in between loses nothing. Rows stay as history; results
whose objects are removed count as requested again, so an old recipe that returns is recomputed.
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from gem_tasks.domain.base import Value
from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.ports import ObjectStore, StoredObject
from gem_tasks.store import keys
from gem_tasks.store.local import LocalStore

logger = logging.getLogger(__name__)

CLASSES = (
    "unreferenced", "old_recipes", "journals", "pulses", "superseded_datasets", "prefilters", "unfinished_writes",
    "changes",
)  # fmt: skip
YOUNG = timedelta(days=1)
"""Objects written since are skipped: no task runs that long without saving. For pulses, which are replaced every few
seconds, minutes would do: a day forgives every wrong clock, and `gem top` names a silent task for an hour only."""

_BATCH = 200
"""Objects judged and deleted at a time: writers wait while a batch is deleted."""
_PATIENCE_S = 60.0
_STAGE = re.compile(r"stages/[^/]+/([^/]+)/([^/]+)/shard-(\d+)\.parquet")
_SEGMENTS = re.compile(r"segments/([^/]+)/shard-(\d+)\.parquet")
_DATASET = re.compile(r"datasets/(\d{8}T\d{4}-\w+)/.+")
_PREFILTER = re.compile(r"models/prefilter/[0-9a-f]{64}\.npz")
_JOURNAL = re.compile(r"journal/([^/]+)/([^/]+)/shard-(\d+)/[^/]+")
_PULSE = re.compile(rf"{keys.PULSES}/[^/]+/[^/]+/shard-\d+\.json")

Judge = Callable[[Sequence[StoredObject]], dict[str, str]]
"""Maps the keys of removable objects to their class."""


class Swept(Value):
    """Removed objects of one class."""

    what: str
    objects: int = 0
    bytes: int = 0


class Collected(Value):
    """The removed objects, or those that would be removed."""

    dry_run: bool
    days: float
    classes: tuple[Swept, ...]
    kept_objects: int
    kept_bytes: int
    busy_objects: int = 0
    """Left for next time: written again meanwhile, or writers were always active."""

    @property
    def objects(self) -> int:
        """Number of removed objects."""
        return sum(swept.objects for swept in self.classes)

    @property
    def bytes(self) -> int:
        """Size of all removed objects."""
        return sum(swept.bytes for swept in self.classes)


def collect(work: Workspace, *, dry_run: bool, days: float | None = None, now: datetime | None = None) -> Collected:
    """Removes what the policy allows; `dry_run` only counts it.

    Args:
        work: workspace with the current chain.
        dry_run: delete nothing.
        days: number of days to keep unused objects; by default `retention_days`.
        now: for tests.

    Raises:
        UserError: another collection is running.
        StoreError: the store cannot be listed, or an object cannot be deleted.
    """
    kept_days = work.settings.retention_days if days is None else days
    with work.ledger() as ledger:
        if not ledger.retention.only_collector():
            raise UserError("Another `gem gc` is running", "Wait until it has finished.")
        sweeper = _Sweeper(work, ledger, kept_days, now or datetime.now(UTC), dry_run=dry_run)
        sweeper.sweep(work.store, work.store.scan("stages"), sweeper.judge_stages)
        sweeper.sweep(work.store, work.store.scan("segments"), sweeper.judge_segments)
        sweeper.sweep(work.store, work.store.scan("datasets"), sweeper.judge_datasets)
        sweeper.sweep(work.store, work.store.scan("journal"), sweeper.judge_journals)
        sweeper.sweep(work.store, work.store.scan(keys.PULSES), sweeper.judge_pulses)
        sweeper.sweep(work.store, work.store.scan("models/prefilter"), sweeper.judge_prefilters)
        here = LocalStore(work.settings.home)
        sweeper.sweep(here, here.scan("journal"), sweeper.judge_journals)
        if isinstance(work.store, LocalStore):
            sweeper.sweep(work.store, work.store.scan_unfinished(), sweeper.judge_unfinished)
        sweeper.sweep_changes()
        return sweeper.report()


class _Sweeper:
    """The state of one collection."""

    def __init__(self, work: Workspace, ledger: Ledger, days: float, now: datetime, *, dry_run: bool) -> None:
        self._work, self._ledger, self._days, self._now, self._dry_run = work, ledger, days, now, dry_run
        self._gone = {what: [0, 0] for what in CLASSES}
        self._kept = [0, 0]
        self._busy = 0

    def sweep(self, store: ObjectStore, objects: Iterable[StoredObject], judge: Judge) -> None:
        """Judges a listing batch by batch, and removes what may go."""
        stream = iter(objects)
        while batch := list(islice(stream, _BATCH)):
            old = [found for found in batch if self._now - found.modified >= YOUNG]
            doomed = judge(old) if old else {}
            if doomed and not self._dry_run:
                doomed = self._remove(store, [found for found in old if found.key in doomed], judge)
            self._count(batch, doomed)

    def sweep_changes(self) -> None:
        """Deletes rows, not objects."""
        expired = self._ledger.changes.expired(self._days)
        if not self._dry_run:
            self._ledger.changes.delete(list(expired))
        self._gone["changes"] = [len(expired), sum(expired.values())]

    def report(self) -> Collected:
        """The totals."""
        classes = (Swept(what=what, objects=count, bytes=size) for what, (count, size) in self._gone.items())
        kept, kept_bytes = self._kept
        return Collected(
            dry_run=self._dry_run,
            days=self._days,
            classes=tuple(classes),
            kept_objects=kept,
            kept_bytes=kept_bytes,
            busy_objects=self._busy,
        )

    def judge_stages(self, found: Sequence[StoredObject]) -> dict[str, str]:
        """See the table above."""
        places, kept = _places(_STAGE, found), self._kept_recipes()
        live = self._ledger.retention.live_objects(*_columns(places))
        judged: dict[str, str] = {}
        for position, (key, (recipe_id, _, _)) in enumerate(places):
            if position not in live:
                judged[key] = "unreferenced"
            elif recipe_id not in kept:
                judged[key] = "old_recipes"
        return judged

    def judge_segments(self, found: Sequence[StoredObject]) -> dict[str, str]:
        """See the table above."""
        matches = [(each.key, match) for each in found if (match := _SEGMENTS.fullmatch(each.key))]
        live = self._ledger.retention.live_shards(
            [match[1] for _, match in matches], [int(match[2]) for _, match in matches]
        )
        return {key: "unreferenced" for position, (key, _) in enumerate(matches) if position not in live}

    def judge_datasets(self, found: Sequence[StoredObject]) -> dict[str, str]:
        """See the table above."""
        versions = {each.key: match[1] for each in found if (match := _DATASET.fullmatch(each.key))}
        states = self._ledger.retention.dataset_states(sorted(set(versions.values())), self._days)
        return {key: "superseded_datasets" for key, version in versions.items() if states.get(version, True)}

    def judge_journals(self, found: Sequence[StoredObject]) -> dict[str, str]:
        """See the table above."""
        kept, places = self._kept_recipes(), _places(_JOURNAL, found)
        long_ago = self._now - timedelta(days=self._days)
        modified = {each.key: each.modified for each in found}
        is_open = {
            place: place[1] == keys.SAMPLE or (place[0] in kept and self._ledger.retention.shard_is_open(*place))
            for place in {of for _, of in places}
        }
        return {key: "journals" for key, place in places if not is_open[place] or modified[key] < long_ago}

    def judge_pulses(self, found: Sequence[StoredObject]) -> dict[str, str]:
        """A running task would have replaced its own by now."""
        return {each.key: "pulses" for each in found if _PULSE.fullmatch(each.key)}

    def judge_prefilters(self, found: Sequence[StoredObject]) -> dict[str, str]:
        """See the table above."""
        kept = self._ledger.retention.kept_prefilters(self._days)
        return {each.key: "prefilters" for each in found if _PREFILTER.fullmatch(each.key) and each.key not in kept}

    def judge_unfinished(self, found: Sequence[StoredObject]) -> dict[str, str]:
        """A live writer would have finished by now."""
        return {each.key: "unfinished_writes" for each in found}

    def _remove(self, store: ObjectStore, doomed: Sequence[StoredObject], judge: Judge) -> dict[str, str]:
        """Deletes objects that are still as listed, while no writer is between object and row."""
        with self._ledger.retention.no_writers(_PATIENCE_S) as free:
            same = [found for found in doomed if free and store.stat(found.key) == found]
            judged = judge(same) if same else {}
            self._forget(judged)
            for key in judged:
                store.delete(key)
        self._busy += len(doomed) - len(judged)
        for key, what in judged.items():
            logger.info("removed %s (%s)", store.url(key), what)
        return judged

    def _forget(self, judged: dict[str, str]) -> None:
        """Deletes rows first: a crash afterwards leaves unreferenced objects, which the next collection removes."""
        old = [
            (key, match) for key, what in judged.items() if what == "old_recipes" and (match := _STAGE.fullmatch(key))
        ]
        if old:
            self._ledger.retention.forget_objects(*_columns([(key, _place(match)) for key, match in old]))
        if versions := {key.split("/")[1] for key, what in judged.items() if what == "superseded_datasets"}:
            self._ledger.retention.mark_collected(sorted(versions))

    def _kept_recipes(self) -> set[str]:
        current = [self._work.chain.root.recipe_id, *self._work.every_recipe_id()]
        return self._ledger.retention.kept_recipes(current, self._days) | set(current)

    def _count(self, batch: Sequence[StoredObject], doomed: dict[str, str]) -> None:
        for found in batch:
            tally = self._gone[doomed[found.key]] if found.key in doomed else self._kept
            tally[0] += 1
            tally[1] += found.size


_Place = tuple[str, str, int]


def _place(match: re.Match[str]) -> _Place:
    return match[1], match[2], int(match[3])


def _places(form: re.Pattern[str], found: Iterable[StoredObject]) -> list[tuple[str, _Place]]:
    """Recipe, partition and shard by key, for keys of the form; ignores other keys."""
    return [(each.key, _place(match)) for each in found if (match := form.fullmatch(each.key))]


def _columns(places: Sequence[tuple[str, _Place]]) -> tuple[list[str], list[str], list[int]]:
    recipes, partitions, shards = ([place[n] for _, place in places] for n in range(3))
    return recipes, partitions, shards  # pyright: ignore[reportReturnType]
