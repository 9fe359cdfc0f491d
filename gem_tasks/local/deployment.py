"""The services of a deployment on many machines, and whether each is alive: for health checks and `gem doctor`.

    python -m gem_tasks.local.deployment scheduler     # exit code 1 and a line if it is not alive

Heartbeats come from the table to which Airflow's services write them. `airflow jobs check` reads the
same table, but imports all of Airflow: seconds of a core, per service and check.
"""

import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg

from gem_tasks.domain.base import Value
from gem_tasks.resources import shipped

JOBS = {"scheduler": "SchedulerJob", "triggerer": "TriggererJob", "dag-processor": "DagProcessorJob"}
_SILENT_S = 60
"""Seconds without a heartbeat after which a service counts as dead; they write one every five."""
_STARTS = 3
"""Starts of one service on one host within ten minutes that an upgrade does not explain."""
_LIMIT_S = 10

_ALIVE: LiteralString = """
SELECT EXISTS (
    SELECT FROM job WHERE job_type = %(job)s AND state = 'running' AND hostname = coalesce(%(host)s::text, hostname)
    AND latest_heartbeat > now() - make_interval(secs => %(silent_s)s))"""
_RESTARTED: LiteralString = """
SELECT job_type, max(starts) FROM (
    SELECT job_type, hostname, count(*) AS starts FROM job
    WHERE start_date > now() - interval '10 minutes' GROUP BY job_type, hostname) AS hosts
WHERE starts >= %(starts)s GROUP BY job_type"""
_READ: LiteralString = "SELECT dag_id FROM dag WHERE NOT is_stale AND has_import_errors IS NOT TRUE"
_UNREADABLE: LiteralString = "SELECT filename, stacktrace FROM import_error ORDER BY id"


class Deployment(Value):
    """The addresses of Airflow's database and the workers' broker."""

    database: str | None = None
    """DSN of Airflow's own tables, as psycopg takes it; None in a worker, which has no role there."""
    broker: str | None = None
    """URL of Celery's broker; None if tasks run without Celery."""
    workers: int = 1
    """Minimum number of worker hosts."""

    @classmethod
    def here(cls, env: Mapping[str, str]) -> "Deployment | None":
        """The deployment of this process, or of the service beside it; None outside a deployment."""
        dsn, broker = env.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", ""), env.get("AIRFLOW__CELERY__BROKER_URL")
        database = re.sub(r"^postgresql\+\w+:", "postgresql:", dsn) if dsn.startswith("postgresql") else None
        if not (database or broker):
            return None
        return cls(
            database=database,
            broker=broker,
            workers=int(env.get("WORKERS") or 1),
        )

    def service_fault(self, name: str, host: str | None = None) -> str | None:
        """Why a service is not alive, on this host or on any; None if it is alive.

        Args:
            name: one of `JOBS`, or `worker`.
            host: the name under which it registered.
        """
        if name == "worker":
            found = self.workers_at_work(host)
            return None if found else f"the worker on {host} does not answer through the broker"
        values = {"job": JOBS[name], "host": host, "silent_s": _SILENT_S}
        if not self._ask(_ALIVE, values)[0][0]:
            return f"{name} has sent no heartbeat for {_SILENT_S} s" + (f" from {host}" if host else "")
        return self.dags_fault() if name == "dag-processor" else None

    def dags_fault(self) -> str | None:
        """Which of GEM's DAGs Airflow has not read, and why; None if it has read all."""
        missing = sorted(dag_ids() - {str(row[0]) for row in self._ask(_READ)})
        if not missing:
            return None
        stacks = {Path(file).stem: str(stack).strip().rpartition("\n")[2] for file, stack in self._ask(_UNREADABLE)}
        return "; ".join(
            f"Airflow did not load {dag}" + (f": {stacks[dag]}" if dag in stacks else "") for dag in missing
        )

    def restarted(self) -> dict[str, int]:
        """Services that restart repeatedly, with the number of starts within ten minutes."""
        names = {job: name for name, job in JOBS.items()}
        return {names[job]: starts for job, starts in self._ask(_RESTARTED, {"starts": _STARTS}) if job in names}

    def workers_at_work(self, host: str | None = None) -> list[str]:
        """Names of the Celery workers that answer; of one host, or all."""
        from celery import Celery  # only the image has it

        wanted = [f"celery@{host}"] if host else None
        with cast("Any", Celery(broker=self.broker)) as app:
            answers = app.control.broadcast("ping", destination=wanted, reply=True, timeout=_LIMIT_S if host else 3)
        return sorted(str(name) for answer in answers for name in answer)

    def _ask(self, query: LiteralString, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        assert self.database, "a worker has no database settings"  # noqa: S101
        with psycopg.connect(self.database, connect_timeout=_LIMIT_S) as connection:
            return connection.execute(query, values).fetchall()


def dag_ids() -> set[str]:
    """Ids of the DAGs that GEM ships; each file has the name of its DAG."""
    return {path.stem for path in shipped("dags").glob("gem_*.py")}


def main(arguments: list[str]) -> int:
    """Checks the service of this container; for `healthcheck` in docker-compose.yml."""
    (name,) = arguments
    deployment = Deployment.here(os.environ)
    if deployment is None:
        sys.stderr.write("the environment names neither Airflow's PostgreSQL nor Celery's broker\n")
        return 1
    try:
        fault = deployment.service_fault(name, socket.gethostname())
    except Exception as error:  # noqa: BLE001 - any error means an unhealthy service; the message never contains the DSN
        fault = f"{type(error).__name__}: {name} cannot reach its database or broker"
    if fault:
        sys.stderr.write(f"{fault}\n")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
