"""The calls to Airflow's public REST API that GEM needs to start and follow runs."""

import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx2

from gem_tasks import http_clients
from gem_tasks.connection_faults import reason
from gem_tasks.errors import GemError, UserError
from gem_tasks.redaction import beginning, know
from gem_tasks.settings import Settings

_JSON = {"Accept": "application/json"}
_PAGE = 100
"""Airflow answers with up to this many rows, even if more are requested."""

_PATIENCE = 3
"""Number of retries of an unanswered query; each waits half a minute."""


class AirflowAPI:
    """A session of one user. A context manager: leaving it closes the connections."""

    def __init__(self, settings: Settings) -> None:
        if settings.airflow_url is None:
            raise UserError("Airflow is not running", "Start it with `gem up`, or set GEM_AIRFLOW_URL.")
        self.url = settings.airflow_url.rstrip("/")
        password = settings.airflow_password.get_secret_value() if settings.airflow_password else ""
        self._login = {"username": settings.airflow_username, "password": password}
        self._http = http_clients.client(base_url=self.url, timeout=30)

    def __enter__(self) -> "AirflowAPI":
        """Logs in.

        Raises:
            UserError: Airflow does not answer, or refuses the login.
        """
        token = self._call("POST", "/auth/token", json=self._login)["access_token"]
        know("Airflow's token", token)
        self._http.headers["Authorization"] = f"Bearer {token}"
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the connections."""
        self._http.close()

    def trigger(self, dag: str, partition: str, conf: dict[str, Any]) -> str:
        """Starts a run for a partition and returns its id."""
        body = {"logical_date": None, "partition_key": partition, "conf": conf}
        return self._call("POST", f"/api/v2/dags/{dag}/dagRuns", json=body)["dag_run_id"]

    def start(self, dag: str, conf: dict[str, Any]) -> str:
        """Starts a run that belongs to no partition and returns its id."""
        return self._call("POST", f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None, "conf": conf})[
            "dag_run_id"
        ]

    def unpause(self, dag: str) -> bool:
        """Unpauses the DAG; returns whether it was paused."""
        paused: bool = self._call("GET", f"/api/v2/dags/{dag}")["is_paused"]
        if paused:
            self._call("PATCH", f"/api/v2/dags/{dag}", json={"is_paused": False})
        return paused

    def xcom(self, dag: str, run_id: str, task: str) -> Any:
        """The return value of a task instance."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task}/xcomEntries/return_value"
        return self._call("GET", path)["value"]

    def run_state(self, dag: str, run_id: str) -> str:
        """`queued`, `running`, `success` or `failed`."""
        return self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run_id, safe='')}")["state"]

    def runs_of_partition(self, dag: str, partition: str) -> list[str]:
        """Ids of the newest runs for a partition, newest first."""
        query = {"order_by": "-id", "limit": _PAGE}
        runs = self._call("GET", f"/api/v2/dags/{dag}/dagRuns", params=query)["dag_runs"]
        return [run["dag_run_id"] for run in runs if run.get("partition_key") == partition]

    def active_runs(self) -> list[dict[str, Any]]:
        """The newest running runs of any DAG, then the newest queued ones: many that wait must hide none that runs."""
        found: list[dict[str, Any]] = []
        for state in ("running", "queued"):
            query = {"state": state, "order_by": "-id", "limit": _PAGE}
            found += self._call("GET", "/api/v2/dags/~/dagRuns", params=query)["dag_runs"]
        return found

    def count_tasks(self, dag: str, run_id: str, state: str) -> int:
        """Number of task instances of a run in a state."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        return self._call("GET", path, params={"state": state, "limit": 1})["total_entries"]

    def caused_by(self, dag: str, run_id: str) -> list[str]:
        """Ids of the ingestion runs whose asset events started this run."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run_id, safe='')}/upstreamAssetEvents"
        events = self._call("GET", path)["asset_events"]
        return [str(event["extra"].get("ingest_run_id")) for event in events]

    def tasks(self, dag: str, run_id: str) -> list[dict[str, Any]]:
        """All task instances of a run."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        found: list[dict[str, Any]] = []
        while True:
            page = self._call("GET", path, params={"limit": _PAGE, "offset": len(found)})
            found += page["task_instances"]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def complaint(self, task: dict[str, Any]) -> str:
        """The error with which a task instance ended, from its log (where causes follow it); empty without one.

        Args:
            task: one of `tasks`.
        """
        path = f"/api/v2/dags/{task['dag_id']}/dagRuns/{quote(task['dag_run_id'], safe='')}/taskInstances"
        path += f"/{task['task_id']}/logs/{task['try_number']}"
        try:
            lines: list[Any] = self._call("GET", path, params={"map_index": task["map_index"]}, headers=_JSON)[
                "content"
            ]
        except UserError:  # the log is gone, or out of reach
            return ""
        errors: list[Any] = [line["error_detail"] for line in lines if line.get("error_detail")]
        return str(errors[-1][0]["exc_value"]).partition("\n")[0] if errors else ""

    def waiting(self, dag: str, run_id: str = "~") -> list[dict[str, Any]]:
        """Unanswered questions to people; `~` stands for any run."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run_id, safe='~')}/hitlDetails"
        query = {"response_received": False, "state": "awaiting_input", "limit": _PAGE}
        return self._call("GET", path, params=query)["hitl_details"]

    def answer(self, task: dict[str, Any], option: str, comment: str) -> None:
        """Answers a question, in the name of the session's user; `task` is the `task_instance` of `waiting`.

        Raises:
            UserError: the user may not answer, or another user answered first.
        """
        run_id = quote(task["dag_run_id"], safe="")
        path = f"/api/v2/dags/{task['dag_id']}/dagRuns/{run_id}/taskInstances/{task['task_id']}/-1/hitlDetails"
        self._call("PATCH", path, json={"chosen_options": [option], "params_input": {"comment": comment}})

    def review_url(self, task: dict[str, Any]) -> str:
        """The page where a person answers."""
        run = self.run_url(task["dag_id"], task["dag_run_id"])
        return f"{run}/tasks/{task['task_id']}/required_actions"

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Creates a pool unless it exists; a changed number of slots stays as people set it."""
        pools = self._call("GET", "/api/v2/pools", params={"limit": _PAGE})["pools"]
        if name not in [pool["name"] for pool in pools]:
            body = {"name": name, "slots": slots, "description": description, "include_deferred": False}
            self._call("POST", "/api/v2/pools", json=body)

    def wait_for_dags(self, names: Collection[str], deadline: float) -> None:
        """Waits until Airflow has read these DAGs.

        Raises:
            GemError: a DAG does not import, or `deadline` (monotonic seconds) has passed.
        """
        while True:
            dags = self._call("GET", "/api/v2/dags", params={"limit": _PAGE})["dags"]
            if set(names) <= {dag["dag_id"] for dag in dags}:
                return
            for error in self._call("GET", "/api/v2/importErrors")["import_errors"]:
                raise GemError(f"{error['filename']} does not import: {error['stack_trace'].strip()[-500:]}")
            if time.monotonic() > deadline:
                raise GemError(f"Airflow did not read the DAGs {', '.join(names)} in time")
            time.sleep(0.5)

    def backfill(self, body: dict[str, Any]) -> dict[str, Any]:
        """Creates a backfill, as Airflow's own form and CLI do.

        Raises:
            UserError: another backfill of the DAG is running, or Airflow refuses the dates or the params.
        """
        return self._call("POST", "/api/v2/backfills", json=body)

    def backfill_keys(self, body: dict[str, Any]) -> list[str]:
        """Partitions for which such a backfill would create runs, in its order; creates nothing."""
        found = self._call("POST", "/api/v2/backfills/dry_run", json=body)["backfills"]
        return [run["partition_key"] for run in found]

    def backfill_state(self, backfill_id: int) -> dict[str, Any]:
        """A backfill as Airflow knows it: `is_paused`, `completed_at`, …."""
        return self._call("GET", f"/api/v2/backfills/{backfill_id}")

    def open_backfills(self, dag: str) -> list[dict[str, Any]]:
        """The DAG's backfills that are not complete, newest first."""
        query = {"dag_id": dag, "order_by": "-id", "limit": _PAGE}
        found = self._call("GET", "/api/v2/backfills", params=query)["backfills"]
        return [each for each in found if each["completed_at"] is None]

    def change_backfill(self, backfill_id: int, verb: str) -> None:
        """`pause`, `unpause` or `cancel`."""
        self._call("PUT", f"/api/v2/backfills/{backfill_id}/{verb}")

    def backfill_runs(self, dag: str, since: str) -> dict[str, dict[str, Any]]:
        """Backfill runs of a DAG created since then (ISO date), by partition, the newest of each."""
        found: dict[str, dict[str, Any]] = {}
        offset = 0
        while True:
            query = {"run_type": "backfill", "order_by": "-id", "limit": _PAGE, "offset": offset}
            page = self._call("GET", f"/api/v2/dags/{dag}/dagRuns", params=query)["dag_runs"]
            new = [run for run in page if (run["queued_at"] or since) >= since]
            for run in new:
                found.setdefault(run["partition_key"], run)
            if not page or len(new) < len(page):
                return found
            offset += len(page)

    def run_url(self, dag: str, run_id: str) -> str:
        """The run's page."""
        return f"{self.url}/dags/{dag}/runs/{quote(run_id, safe='')}"

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            answer = self._request(method, path, **options)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            told = f"Airflow at {self.url} does not answer: {reason(error)}"
            raise UserError(told, "Start it with `gem up`, or correct GEM_AIRFLOW_URL.") from error
        if answer.status_code == 401:
            raise UserError(f"Airflow at {self.url} refuses the login", "Check GEM_AIRFLOW_USERNAME and _PASSWORD.")
        if answer.is_error:
            raise UserError(
                f"Airflow answered {answer.status_code} to {method} {path}: {beginning(answer.text, 300)}",
                "See the api-server's log; `gem status` shows where it is.",
            )
        return answer.json()

    def _request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Sends a request. Retries reads while Airflow is too busy to answer, but never a request that changes data."""
        for _ in range(_PATIENCE if method == "GET" else 0):
            with suppress(httpx2.TimeoutException):
                return self._http.request(method, path, **options)
        return self._http.request(method, path, **options)
