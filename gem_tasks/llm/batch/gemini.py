"""Gemini's batches behind the methods of `client.BatchClient`; they take and return messages of Gemini's own API.

The base URL is that of the API for chat completions, `…/v1beta/openai`; batches have a sibling path.
ai.google.dev/api/batch-api
"""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.apis.gemini import answer_of, request_of, status_of
from gem_tasks.llm.batch.client import TRANSFER_S, BatchClient, BatchState, translated_errors
from gem_tasks.llm.batch.file import Line, joined, joined_size, read_result
from gem_tasks.llm.bounds import MAX_RESULT_BYTES
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.completions import UNREADABLE, parsed
from gem_tasks.replies import Growing

_STATES = {
    "PENDING": "validating", "RUNNING": "in_progress", "SUCCEEDED": "completed", "FAILED": "failed",
    "CANCELLED": "cancelled", "EXPIRED": "expired",
}  # fmt: skip


class GeminiBatches(BatchClient):
    """See `BatchClient`. All lines of a client are for one model."""

    max_bytes = 9_000_000
    """A batch with inline requests may have 20 MB; its answers come in one reply of up to `MAX_RESULT_BYTES`."""
    _model = ""

    def root(self, base_url: str) -> str:
        """See `BatchClient.root`."""
        return base_url.rstrip("/").removesuffix("/openai")

    def line(self, custom_id: str, request: ChatRequest) -> bytes:
        """See `BatchClient.line`."""
        self._model = request.model.removeprefix("models/")
        return super().line(custom_id, request)

    def _line(self, custom_id: str, body: bytes) -> bytes:
        fields = json.loads(body)
        del fields["model"]  # the path has it
        return json.dumps({"request": request_of(fields), "metadata": {"key": custom_id}}).encode() + b"\n"

    async def submit(self, path: Path, key: str) -> str:
        """See `BatchClient.submit`."""
        begin = b'{"batch":{"displayName":%b,"inputConfig":{"requests":{"requests":[' % json.dumps(key).encode()
        around = begin, b"]}}}}"
        sent = {"Content-Type": "application/json", "Content-Length": str(joined_size(path, *around))}
        with translated_errors(self._base_url, sure=False):
            made: Any = await self._client.post(
                f"/models/{self._model}:batchGenerateContent",
                cast_to=object,
                content=joined(path, *around),
                options={"headers": sent, "timeout": TRANSFER_S},
            )
        return str(made["name"])

    async def find(self, key: str) -> str | None:
        """See `BatchClient.find`."""
        with translated_errors(self._base_url):
            found: Any = await self._client.get("/batches", cast_to=object, options={"params": {"pageSize": 100}})
        batches: list[Json] = found.get("operations") or []
        return next((each["name"] for each in batches if (each.get("metadata") or {}).get("displayName") == key), None)

    async def state(self, batch_id: str) -> BatchState | None:
        """See `BatchClient.state`."""
        found = await self._found(batch_id)
        if found is None:
            return None
        about, error = cast("Json", found.get("metadata") or {}), cast("Json", found.get("error") or {})
        counts = cast("Json", about.get("batchStats") or {})
        state = str(about.get("state") or "").removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_")
        return BatchState(
            batch_id=batch_id,
            status=_STATES.get(state, "in_progress"),
            total=int(counts.get("requestCount") or 0),
            completed=int(counts.get("successfulRequestCount") or 0),
            failed=int(counts.get("failedRequestCount") or 0),
            input_file="",
            code=str(error.get("code") or ""),
            error=str(error.get("message") or ""),
        )

    async def lines(self, state: BatchState) -> AsyncIterator[Line]:
        """See `BatchClient.lines`."""
        found = await self._found(state.batch_id) or {}
        output = cast("Json", (found.get("metadata") or {}).get("output") or found.get("response") or {})
        inlined = cast("Json", output.get("inlinedResponses") or {})
        for each in cast("list[Json]", inlined.get("inlinedResponses") or []):
            about = cast("Json", each.get("metadata") or {})
            if custom_id := about.get("key"):
                yield Line(custom_id, _result(each))

    async def forget(self, state: BatchState) -> None:
        """Deletes the batch; ignores failures."""
        with suppress(EndpointError), translated_errors(self._base_url):
            await self._client.delete(f"/{state.batch_id}", cast_to=object)

    async def _found(self, batch_id: str) -> Json | None:
        """The batch, with its results once it has ended."""
        with Growing(MAX_RESULT_BYTES) as growing:
            found = bytearray()
            async for piece in self._stream(f"/{quote(batch_id)}", MAX_RESULT_BYTES):
                growing.add(len(piece))
                found += piece
            if not found:
                return None
            try:
                return cast("Json", parsed(bytes(found), MAX_RESULT_BYTES))
            except UNREADABLE as error:
                raise EndpointError(ErrorClass.SERVER_ERROR, f"unusable batch ({type(error).__name__})") from error


def _result(each: Json) -> Completion | EndpointError:
    if error := each.get("error"):
        return from_status(status_of(error), {}, json.dumps({"error": error}))
    return read_result(lambda: answer_of(each["response"]))
