"""Checks whether each embedded service answers."""

from typing import Any

import httpx2
import psycopg

from gem_tasks import http_clients
from gem_tasks.connection_faults import reason
from gem_tasks.errors import UserError
from gem_tasks.lineage.address import refuse_malformed
from gem_tasks.redaction import ending, message

_LIMIT_S = 5
AIRFLOW_PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def postgres(dsn: str) -> str | None:
    """None if it answers, otherwise the reason; never contains the password."""
    try:
        refuse_malformed(dsn)
        psycopg.connect(dsn, connect_timeout=_LIMIT_S).close()
    except UserError as error:
        return error.cause
    except psycopg.Error as error:
        return message(ending((str(error).strip().splitlines() or [type(error).__name__])[-1], 200))
    return None


def teacher(port: int) -> str | None:
    """None if the offline teacher answers, otherwise the reason."""
    return _get(f"http://127.0.0.1:{port}/health")[1]


def airflow(url: str) -> dict[str, str | None]:
    """For each part of Airflow, None if healthy, otherwise the reason."""
    answer, fault = _get(f"{url}/api/v2/monitor/health")
    if fault:
        return dict.fromkeys(("api_server", *AIRFLOW_PARTS), fault)
    found: dict[str, str | None] = {"api_server": None}
    for name in AIRFLOW_PARTS:
        status = str(answer.get(name, {}).get("status") or "not started")
        found[name] = None if status == "healthy" else status
    return found


def _get(url: str) -> tuple[dict[str, Any], str | None]:
    try:
        with http_clients.client(timeout=_LIMIT_S) as client:
            answer = client.get(url).raise_for_status()
        return answer.json(), None
    except httpx2.TimeoutException:
        return {}, f"no answer within {_LIMIT_S} s"
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        return {}, reason(error)
