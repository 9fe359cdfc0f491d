"""Calls Airflow's own API inside this process, with the credentials of the current request.

So Airflow itself decides what the user may do, and the call needs no URL, token or network.
"""

from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import httpx
from fastapi import HTTPException, Request

from gem_tasks.redaction import beginning

_PASSED = ("authorization", "cookie")
_LIMIT_S = 60


class Answer(NamedTuple):
    """The id of a started run, or the reason why Airflow did not start one."""

    run_id: str | None
    problem: str | None


class Airflow:
    """A client session; use it with `async with`."""

    def __init__(self, request: Request) -> None:
        app = request.scope.get("gem_airflow")
        if app is None:
            raise HTTPException(503, "These pages do not run inside Airflow's API server")
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(
            transport=transport, base_url="http://airflow", headers=headers, timeout=_LIMIT_S
        )

    async def __aenter__(self) -> Self:
        """Returns the session itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the HTTP client."""
        await self._http.aclose()

    async def trigger(self, dag: str, partition: str, conf: dict[str, Any]) -> Answer:
        """Starts a run of the DAG for a partition."""
        body = {"logical_date": None, "partition_key": partition, "conf": conf}
        found, problem = await self.post(f"/api/v2/dags/{quote(dag, safe='')}/dagRuns", body)
        return Answer(found.get("dag_run_id"), problem)

    async def post(self, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """Posts JSON; returns Airflow's answer, or an empty one and the problem."""
        answer = await self._http.post(path, json=body)
        if answer.is_success:
            return answer.json(), None
        return {}, f"Airflow answered {answer.status_code}: {beginning(answer.text, 300)}"
