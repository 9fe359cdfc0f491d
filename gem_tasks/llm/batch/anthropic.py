"""Anthropic's Message Batches behind the methods of `client.BatchClient`.

All requests are sent in one body, and all answers arrive in one: there are no files. A batch has no metadata, so if a
worker dies after creating one and before recording it, the batch cannot be found again. Ids may have only letters,
digits, hyphens and underscores: GEM replaces dots by underscores.
platform.claude.com/docs/en/build-with-claude/batch-processing
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.apis.anthropic import STATUS, answer_of
from gem_tasks.llm.batch.client import TRANSFER_S, BatchClient
from gem_tasks.llm.batch.file import Line, joined, joined_size, read_result
from gem_tasks.llm.batch.protocol import (
    BatchState,
    counted,
    fields,
    identifier,
    result_lines,
    status_of,
    translated_errors,
    within,
)  # fmt: skip
from gem_tasks.llm.bounds import bounded_json
from gem_tasks.llm.dialects.dialect import Dialect
from gem_tasks.llm.responses.classify import from_status

logger = logging.getLogger(__name__)

_PATH = "/messages/batches"
_AROUND = b'{"requests":[', b"]}"


class AnthropicBatches(BatchClient):
    """See `BatchClient`."""

    api = "anthropic"

    def _begin_with(self, model: str) -> Dialect:
        return super()._begin_with(model).model_copy(update={"cache_control": True})

    def _line(self, custom_id: str, body: bytes) -> bytes:
        return b'{"custom_id":%b,"params":%b}\n' % (json.dumps(custom_id.replace(".", "_")).encode(), body)

    async def submit(self, path: Path, key: str) -> str:
        """Creates a batch of the lines of a file; see `BatchClient.submit`."""
        sent = {"Content-Type": "application/json", "Content-Length": str(joined_size(path, *_AROUND))}
        with translated_errors(self._base_url, sure=False):
            made: Any = await self._client.post(
                _PATH, cast_to=object, content=joined(path, *_AROUND), options={"headers": sent, "timeout": TRANSFER_S}
            )
            return identifier(fields(made).get("id"))

    async def find(self, key: str) -> str | None:
        """Always None: a batch does not tell which client created it."""
        logger.warning("a worker died while creating a batch; if the batch exists, GEM submits its requests twice")
        return None

    async def state(self, batch_id: str) -> BatchState | None:
        """See `BatchClient.state`."""
        import openai

        with translated_errors(self._base_url):
            try:
                found: Any = await self._client.get(f"{_PATH}/{batch_id}", cast_to=object)
            except openai.NotFoundError:
                return None
            return _state(batch_id, fields(found))

    async def lines(self, state: BatchState) -> AsyncIterator[Line]:
        """See `BatchClient.lines`. Ignores the address in the batch: the key goes only to the configured endpoint."""
        async for text in result_lines(self._stream(f"{_PATH}/{quote(state.batch_id)}/results")):
            if found := read_line(text):
                yield found

    async def forget(self, state: BatchState) -> None:
        """Deletes the batch; ignores failures."""
        with suppress(EndpointError), translated_errors(self._base_url):
            await self._client.delete(f"{_PATH}/{state.batch_id}", cast_to=object)


def _state(batch_id: str, batch: Json) -> BatchState:
    counts = {kind: counted(number) for kind, number in within(batch, "request_counts").items()}
    status = status_of(batch.get("processing_status"))
    if status == "ended":
        status = "cancelled" if batch.get("cancel_initiated_at") else "completed"
    return BatchState(
        batch_id=batch_id,
        status=status,
        total=sum(counts.values()),
        completed=counts.get("succeeded", 0),
        failed=sum(counts.get(kind, 0) for kind in ("errored", "expired", "canceled")),
        input_file="",
    )


def read_line(text: bytes) -> Line | None:
    """A line of the results; None if it is not valid."""
    try:
        data = json.loads(bounded_json(text))
        return Line(data["custom_id"].replace("_", "."), _result(data["result"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _result(result: Json) -> Completion | EndpointError | None:
    match result["type"]:
        case "succeeded":
            return read_result(lambda: answer_of(result["message"]))
        case "canceled":
            return None
        case "expired":
            return EndpointError(ErrorClass.TIMEOUT, "the batch expired before the request was executed")
        case _:
            error = cast("Json", result.get("error") or {})
            kind = (error.get("error") or error).get("type") or ""
            return from_status(STATUS.get(kind, 500), {}, json.dumps(error))
