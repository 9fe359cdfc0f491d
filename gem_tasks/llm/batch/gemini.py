"""Gemini's batches behind the methods of `client.BatchClient`; they take and return messages of Gemini's own API.

The base URL is that of the API for chat completions, `…/v1beta/openai`; batches have a sibling path.
ai.google.dev/api/batch-api
"""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.apis.gemini import answer_of, request_of, status_of
from gem_tasks.llm.batch.client import TRANSFER_S, BatchClient
from gem_tasks.llm.batch.file import Line, joined, joined_size, read_result
from gem_tasks.llm.batch.protocol import BatchState, counted, entries, fields, identifier, translated_errors, within
from gem_tasks.llm.bounds import MAX_RESULT_BYTES
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.completions import UNREADABLE, name, parsed
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
            return identifier(fields(made).get("name"))

    async def find(self, key: str) -> str | None:
        """See `BatchClient.find`."""
        with translated_errors(self._base_url):
            found: Any = await self._client.get("/batches", cast_to=object, options={"params": {"pageSize": 100}})
            batches = entries(fields(found), "operations")
            names = (each.get("name") for each in batches if within(each, "metadata").get("displayName") == key)
            return next(map(identifier, names), None)

    async def state(self, batch_id: str) -> BatchState | None:
        """See `BatchClient.state`."""
        found = await self._found(batch_id)
        if found is None:
            return None
        about, error = within(found, "metadata"), within(found, "error")
        counts = within(about, "batchStats")
        state = str(about.get("state") or "").removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_")
        return BatchState(
            batch_id=batch_id,
            status=_STATES.get(state, "in_progress"),
            total=_number(counts.get("requestCount")),
            completed=_number(counts.get("successfulRequestCount")),
            failed=_number(counts.get("failedRequestCount")),
            input_file="",
            code=name(str(error.get("code") or "")),
            error=name(error.get("message")),
        )

    async def lines(self, state: BatchState) -> AsyncIterator[Line]:
        """See `BatchClient.lines`."""
        found = await self._found(state.batch_id) or {}
        output = within(within(found, "metadata"), "output") or within(found, "response")
        for each in entries(within(output, "inlinedResponses"), "inlinedResponses"):
            custom_id = within(each, "metadata").get("key")
            if custom_id and isinstance(custom_id, str):
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
                return fields(parsed(bytes(found), MAX_RESULT_BYTES))
            except UNREADABLE as error:
                raise EndpointError(ErrorClass.SERVER_ERROR, f"unusable batch ({type(error).__name__})") from None


def _number(value: Any) -> int:
    """Of requests: in Google's JSON, numbers of 64 bits are texts."""
    written = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20
    return counted(int(value) if written else value)


def _result(each: Json) -> Completion | EndpointError:
    if error := each.get("error"):
        return from_status(status_of(error), {}, json.dumps({"error": error}))
    return read_result(lambda: answer_of(each["response"]))
