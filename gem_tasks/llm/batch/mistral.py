"""Mistral's batch jobs behind the methods of `client.BatchClient`.

Files are like OpenAI's, but a job replaces the batch, with the model beside the file.
docs.mistral.ai/capabilities/batch
"""

import json
from pathlib import Path
from typing import Any

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatRequest
from gem_tasks.llm.batch.client import KEY, TRANSFER_S, BatchClient
from gem_tasks.llm.batch.file import URL
from gem_tasks.llm.batch.protocol import (
    BatchState,
    counted,
    entries,
    fields,
    identifier,
    status_of,
    translated_errors,
    within,
)  # fmt: skip
from gem_tasks.llm.responses.completions import name

_JOBS = "/batch/jobs"
_STATUSES = {
    "QUEUED": "validating", "RUNNING": "in_progress", "CANCELLATION_REQUESTED": "cancelling", "SUCCESS": "completed",
    "FAILED": "failed", "TIMEOUT_EXCEEDED": "expired", "CANCELLED": "cancelled",
}  # fmt: skip


class MistralBatches(BatchClient):
    """See `BatchClient`. All lines of a client are for one model."""

    _model = ""

    def line(self, custom_id: str, request: ChatRequest) -> bytes:
        """See `BatchClient.line`."""
        self._model = request.model
        return super().line(custom_id, request)

    def _line(self, custom_id: str, body: bytes) -> bytes:
        fields = json.loads(body)
        del fields["model"]  # it belongs to the job
        return json.dumps({"custom_id": custom_id, "body": fields}).encode() + b"\n"

    async def submit(self, path: Path, key: str) -> str:
        """See `BatchClient.submit`."""
        with translated_errors(self._base_url, sure=False):
            with path.open("rb") as file:
                uploaded = await self._client.files.create(file=(path.name, file), purpose="batch", timeout=TRANSFER_S)
            input_file = identifier(getattr(uploaded, "id", None))
            job: Json = {"input_files": [input_file], "endpoint": URL, "model": self._model, "metadata": {KEY: key}}
            made: Any = await self._client.post(_JOBS, cast_to=object, body=job)
            return identifier(fields(made).get("id"))

    async def find(self, key: str) -> str | None:
        """See `BatchClient.find`."""
        wanted = {"page_size": 100, "order_by": "-created"}
        with translated_errors(self._base_url):
            found: Any = await self._client.get(_JOBS, cast_to=object, options={"params": wanted})
            jobs = entries(fields(found), "data")
            return next((identifier(job.get("id")) for job in jobs if within(job, "metadata").get(KEY) == key), None)

    async def state(self, batch_id: str) -> BatchState | None:
        """See `BatchClient.state`."""
        import openai

        with translated_errors(self._base_url):
            try:
                found: Any = await self._client.get(f"{_JOBS}/{batch_id}", cast_to=object)
            except openai.NotFoundError:
                return None
            return _state(batch_id, fields(found))


def _state(batch_id: str, job: Json) -> BatchState:
    first, status = next(entries(job, "errors"), Json()), status_of(job.get("status"))
    inputs: Any = job.get("input_files")
    return BatchState(
        batch_id=batch_id,
        status=_STATUSES.get(status, "completed"),  # Mistral's client treats unknown statuses as ended
        total=counted(job.get("total_requests")),
        completed=counted(job.get("succeeded_requests")),
        failed=counted(job.get("failed_requests")),
        files=tuple(identifier(each) for field in ("output_file", "error_file") if (each := job.get(field))),
        input_file=identifier(inputs[0]) if isinstance(inputs, list) and inputs else "",
        code=status if first else "",
        error=name(first.get("message")),
    )
