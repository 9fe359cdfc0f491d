"""`/v1/batches`: batches in a folder, worked off one request after another, taken up again after a restart.

platform.openai.com/docs/api-reference/batch
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from offline_teacher.server.batch_input import ENDPOINT
from offline_teacher.server.batch_run import ENDED, BatchRun
from offline_teacher.server.faults import HEADER, options
from offline_teacher.server.files import Files, read_json, write_json
from offline_teacher.server.protocol import Refused
from offline_teacher.server.workers import Workers

_WINDOW_S = 24 * 3600
_MAX_PAGE = 100
_PAGE = 20


class Batches:
    """Each batch is a `{id}.json` with the batch object and the faults it was created with."""

    def __init__(self, folder: Path, files: Files, workers: Workers, standing: Mapping[str, str]) -> None:
        self._folder, self._files, self._workers, self._standing = folder, files, workers, standing
        self._runs: dict[str, BatchRun] = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def working(self, app: web.Application) -> AsyncGenerator[None]:
        """Takes up what a restart left, and lets go of it at the end."""
        del app
        tasks = asyncio.create_task(self._resume())
        yield
        tasks.cancel()
        for run in self._runs.values():
            run.stop()

    async def create(self, request: web.Request) -> web.Response:
        """`POST /v1/batches`."""
        try:
            body = await request.json()
            file_id, metadata = str(body["input_file_id"]), body.get("metadata")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Refused(400, f"The body must name an input_file_id: {error!r:.100}", "invalid_request") from error
        if body.get("endpoint") != ENDPOINT or body.get("completion_window") != "24h":
            raise Refused(400, f"endpoint must be {ENDPOINT} and completion_window 24h", "invalid_request")
        if self._files.entry(file_id)["purpose"] != "batch":
            raise Refused(400, "The input file's purpose must be batch", "invalid_request")
        faults = options(request.query, request.headers.get(HEADER, ""), self._standing)
        batch = _batch(file_id, metadata)
        self._start(batch, faults)
        return web.json_response(batch)

    async def retrieve(self, request: web.Request) -> web.Response:
        """`GET /v1/batches/{id}`."""
        return web.json_response(self._get(request.match_info["id"]))

    async def list(self, request: web.Request) -> web.Response:
        """`GET /v1/batches`, newest first."""
        text = request.query.get("limit", str(_PAGE))
        if not text.isdigit() or not 1 <= int(text) <= _MAX_PAGE:
            raise Refused(400, f"limit is a number from 1 to {_MAX_PAGE}", "invalid_request")
        found = [read_json(path)["batch"] for path in self._folder.glob("batch_*.json")]
        found.sort(key=lambda batch: (batch["created_at"], batch["id"]), reverse=True)
        if after := request.query.get("after"):
            ids = [batch["id"] for batch in found]
            found = found[ids.index(after) + 1 :] if after in ids else []
        page = found[: int(text)]
        return web.json_response(
            {
                "object": "list",
                "data": page,
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": len(found) > len(page),
            }
        )

    async def cancel(self, request: web.Request) -> web.Response:
        """`POST /v1/batches/{id}/cancel`."""
        batch = self._get(request.match_info["id"])
        if batch["status"] in ENDED or batch["id"] not in self._runs:
            raise Refused(409, f"Cannot cancel a batch with status '{batch['status']}'", "invalid_request")
        return web.json_response(self._runs[batch["id"]].cancel())

    def _get(self, batch_id: str) -> dict[str, Any]:
        path = self._folder / f"{Path(batch_id).name}.json"
        if not path.exists():
            raise Refused(404, f"No batch found with id '{batch_id:.100}'", "not_found")
        return read_json(path)["batch"]

    def _start(self, batch: dict[str, Any], faults: dict[str, float]) -> None:
        path = self._folder / f"{batch['id']}.json"

        def save() -> None:
            write_json(path, {"batch": batch, "faults": faults})

        save()
        self._runs[batch["id"]] = BatchRun(batch, faults, path.with_suffix(".jsonl"), self._files, self._workers, save)

    async def _resume(self) -> None:
        for path in sorted(self._folder.glob("batch_*.json")):
            known = read_json(path)
            if known["batch"]["status"] not in ENDED:
                self._start(known["batch"], known["faults"])


def _batch(file_id: str, metadata: Any) -> dict[str, Any]:
    """A new batch object."""
    now = int(time.time())
    marks = "in_progress finalizing completed failed expired cancelling cancelled".split()
    return {
        "id": f"batch_{time.time_ns():016x}{uuid.uuid4().hex[:8]}",  # in the order of creation
        "object": "batch",
        "endpoint": ENDPOINT,
        "errors": None,
        "input_file_id": file_id,
        "completion_window": "24h",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now,
        "expires_at": now + _WINDOW_S,
        **{f"{mark}_at": None for mark in marks},
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": metadata,
    }
