"""The three sources of `gem top`, each read in a thread: one that hangs must not stop the picture."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import psycopg
from pydantic import ValidationError

from gem_tasks.cli.follow import done_of
from gem_tasks.cli.top_state import Active, Ledgered, progress_key
from gem_tasks.domain.pulse import Pulse
from gem_tasks.errors import GemError
from gem_tasks.lineage import Ledger
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.redaction.outlets import safe
from gem_tasks.store import keys

_STATES = ("running", "queued", "deferred", "failed")
_DAGS = "gem_"
_MOST_PULSES = 200
_MOST_RUNS = 20
"""Runs whose tasks are counted: four requests each."""
_ERRORS = 5
_FORGOTTEN = timedelta(hours=1)
"""Age from which a pulse is not even worth mentioning."""
_PROGRESS_S = 60.0
"""Seconds for which a partition's progress is kept: counting it scans the partition's results."""
T = TypeVar("T")


class Source(Generic[T]):
    """What a function returned last, and why it did not return.

    Args:
        name: for people.
        read: may take long, and raises if it cannot.
        empty: until it has returned once.
    """

    def __init__(self, name: str, read: Callable[[], T], empty: T) -> None:
        self._name, self._read = name, read
        self.value = empty
        self.answered = False
        self._fault = ""
        self._asked_at = 0.0
        self._thread: threading.Thread | None = None

    def refresh(self) -> None:
        """Begins to read, unless it is still reading."""
        if not self.busy:
            self._asked_at = time.monotonic()
            self._thread = threading.Thread(target=self._go, daemon=True, name=self._name)
            self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether it is still reading."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Waits until it has read, for this time at most."""
        if self._thread:
            self._thread.join(seconds)

    def complaint(self, patience_s: float) -> str:
        """One line if it is unavailable, or has not answered for this time; otherwise empty."""
        waited = time.monotonic() - self._asked_at
        if self.busy and waited > patience_s:
            return f"{self._name}: no answer for {waited:.0f} s"
        return self._fault

    def _go(self) -> None:
        try:
            self.value, self._fault = self._read(), ""
            self.answered = True
        except Exception as error:  # noqa: BLE001 - a thread would lose it, and the picture must not stop
            line = str(safe(error)).strip().partition("\n")[0]
            kind = "" if isinstance(error, GemError | psycopg.Error) else f"{type(error).__name__}: "
            self._fault = f"{self._name} unavailable: {kind}{line}"


class Sources:
    """Airflow, the store with the pulses of running tasks, and Postgres."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._api: AirflowAPI | None = None
        self._ledger: Ledger | None = None
        self._counted: dict[str, tuple[float, dict[str, tuple[int, int]]]] = {}
        self.airflow = Source[Sequence[Active]]("Airflow", self._read_airflow, ())
        self.pulses = Source[Sequence[Pulse]]("Pulses of running tasks", self._read_pulses, ())
        self.lineage = Source[Ledgered | None]("Lineage", self._read_lineage, None)

    def __iter__(self) -> Any:
        """All of them."""
        return iter((self.airflow, self.pulses, self.lineage))

    def close(self) -> None:
        """Closes the connections."""
        if self._api and not self.airflow.busy:
            self._api.__exit__()
        if self._ledger and not self.lineage.busy:
            self._ledger.__exit__(None, None, None)

    def _read_airflow(self) -> Sequence[Active]:
        try:
            if self._api is None:
                api = AirflowAPI(self._work.settings)
                api.__enter__()
                self._api = api
            runs = [run for run in self._api.active_runs() if run["dag_id"].startswith(_DAGS)][:_MOST_RUNS]
            asking = {(each["task_instance"]["dag_id"], each["task_instance"]["dag_run_id"])
                      for dag in {run["dag_id"] for run in runs} for each in self._api.waiting(dag)}  # fmt: skip
            return [self._active(self._api, run, asking) for run in runs]
        except GemError:  # perhaps the login has expired: log in again next time
            if self._api:
                self._api.__exit__()
            self._api = None
            raise

    def _active(self, api: AirflowAPI, run: dict[str, Any], asking: Collection[tuple[str, str]]) -> Active:
        dag, run_id = run["dag_id"], run["dag_run_id"]
        tasks = {state: api.count_tasks(dag, run_id, state) for state in _STATES} if run["state"] == "running" else {}
        return Active(
            dag=dag,
            run_id=run_id,
            partition=run.get("partition_key"),
            state=run["state"],
            started_at=run["start_date"] and datetime.fromisoformat(run["start_date"]),
            tasks={state: count for state, count in tasks.items() if count},
            asks_a_person=(dag, run_id) in asking,
        )

    def _read_pulses(self) -> Sequence[Pulse]:
        store, found = self._work.store, list[Pulse]()
        listed = sorted(store.scan(keys.PULSES), key=lambda each: each.modified, reverse=True)
        for each in listed[:_MOST_PULSES]:
            if listed[0].modified - each.modified > _FORGOTTEN:
                break
            with suppress(KeyError, ValidationError):  # the task has just ended; another version wrote it
                found.append(Pulse.model_validate_json(store.get(each.key)))
        return [each for each in found if time.time() - each.at < _FORGOTTEN.total_seconds()]

    def _read_lineage(self) -> Ledgered:
        try:
            if self._ledger is None:
                ledger = self._work.ledger()
                ledger.__enter__()
                self._ledger = ledger
            wanted = {key: each.partition for each in self.airflow.value if (key := progress_key(each))}
            wanted |= {pulse.partition: pulse.partition for pulse in self.pulses.value}
            partitions = {partition for partition in wanted.values() if partition}
            return Ledgered(
                progress={key: self._progress(key, partition) for key, partition in wanted.items() if partition},
                totals=tuple(self._ledger.top.totals(partitions)),
                errors=tuple(self._ledger.top.errors(_ERRORS)),
            )
        except (GemError, psycopg.Error):  # connect again next time
            if self._ledger:
                self._ledger.__exit__(None, None, None)
            self._ledger = None
            raise

    def _progress(self, key: str, partition: str) -> dict[str, tuple[int, int]]:
        """Done and total by stage, counted again once the last counts are a minute old."""
        if key not in self._counted or time.monotonic() - self._counted[key][0] > _PROGRESS_S:
            work = self._work if key == partition else self._work.in_worlds()
            counts = {str(stage): each for stage, each in done_of(work, partition).items()}
            self._counted[key] = time.monotonic(), counts
        return self._counted[key][1]
