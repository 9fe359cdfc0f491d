"""The Batch API of one endpoint: uploads requests as a file, downloads answers hours later as files, at half the price.

This is OpenAI's API, which others copy; `registry` lists those of another form.

Owns the protocol. It keeps no state between calls and retries nothing: `pipeline.batch.poll` records submitted batches,
and Airflow calls again. platform.openai.com/docs/guides/batch
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from yarl import URL

from gem_tasks.connection_faults import reason
from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatRequest
from gem_tasks.domain.key_source import KeySource
from gem_tasks.domain.request_options import ApiName
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.http_clients import async_client
from gem_tasks.llm.access import Access
from gem_tasks.llm.apis.registry import APIS, rooted
from gem_tasks.llm.batch.dialects import BatchDialects
from gem_tasks.llm.batch.file import MAX_BYTES, Line, line, read_line
from gem_tasks.llm.batch.file import URL as _COMPLETIONS
from gem_tasks.llm.batch.protocol import (
    BatchState,
    counted,
    entries,
    fields,
    identifier,
    result_lines,
    status_of,
    translated_errors,
    within,
)  # fmt: skip
from gem_tasks.llm.bounds import MAX_FILE_BYTES
from gem_tasks.llm.dialects.dialect import Dialect
from gem_tasks.llm.dialects.memory import Memory
from gem_tasks.llm.dialects.presets import preset_for
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.completions import name
from gem_tasks.replies import Growing, abody_of, unpacked

if TYPE_CHECKING:
    import httpx2
    import openai

logger = logging.getLogger(__name__)

KEY = "gem_key"
_SCAN_LIMIT = 1000
"""Number of newest batches to search for one of ours: the API has no filter."""
TRANSFER_S = 900.0
_FILES = ("output_file_id", "error_file_id")
_GONE = frozenset({404, 410})


class BatchClient:
    """An async context manager that closes its connections on exit. Raises EndpointError if the endpoint fails.

    Args:
        base_url: ends in `/v1`.
        api_key: the key, or the command that prints it; None for servers without keys.
        memory: what calls have learned about the endpoint.
        presets: the user's file, see `preset_for`.
        headers: extra headers for every request.
        window: tokens that prompt and answer may have together; None uses the learned value.
    """

    api: ApiName = "openai"
    max_bytes = MAX_BYTES
    """Largest size of a batch's requests."""

    def __init__(
        self,
        base_url: str,
        api_key: KeySource,
        memory: Memory | None = None,
        presets: Path | None = None,
        headers: Mapping[str, str] | None = None,
        window: int | None = None,
    ) -> None:
        self._base_url, self._presets = self.root(base_url), presets
        self._access = Access(self._base_url, api_key, self.api, headers)
        memory = memory or Memory(None, base_url)
        self.dialects = BatchDialects(memory, self._begin_with, APIS[self.api], window)
        self._sdk: openai.AsyncOpenAI | None = None

    def root(self, base_url: str) -> str:
        """The address below which batches are found."""
        return rooted(base_url, self.api)

    async def __aenter__(self) -> Self:
        """Opens no connection yet.

        Raises:
            UserError: the key command prints no key.
        """
        from gem_tasks.llm.http.sdk import sdk

        if self._access.due:
            await self._access.renew()
        # Loading certificates is slow, and in the triggerer other tasks share the loop.
        self._sdk = await asyncio.to_thread(sdk, self._base_url, self._access.headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        await self._client.close()

    def line(self, custom_id: str, request: ChatRequest) -> bytes:
        """A line of the input, in the dialect learned by calls and batches."""
        return self._line(custom_id, self.dialects.body(request))

    def _begin_with(self, model: str) -> Dialect:
        return preset_for(self._base_url, model, self._presets)

    def _line(self, custom_id: str, body: bytes) -> bytes:
        return line(custom_id, body)

    async def submit(self, path: Path, key: str) -> str:
        """Uploads an input file and creates its batch, which carries `key` in its metadata; returns the batch's id.

        Raises:
            UserError: the endpoint has no Batch API.
        """
        with translated_errors(self._base_url, sure=False):
            with path.open("rb") as file:
                uploaded = await self._client.files.create(file=(path.name, file), purpose="batch", timeout=TRANSFER_S)
            input_file = identifier(getattr(uploaded, "id", None))
            asked = {"input_file_id": input_file, "endpoint": _COMPLETIONS, "completion_window": "24h"}
            made: Any = await self._client.post("/batches", cast_to=object, body={**asked, "metadata": {KEY: key}})
            return identifier(fields(made).get("id"))

    async def find(self, key: str) -> str | None:
        """The id of the batch with this key in its metadata, if it is among the newest."""
        import openai

        scanned, asked = 0, {"limit": "100"}
        with translated_errors(self._base_url), suppress(openai.NotFoundError):  # some endpoints cannot list batches
            while scanned < _SCAN_LIMIT:
                # Plain objects: the SDK's own take a kilobyte each, and an endpoint may send a million.
                page: Any = await self._client.get("/batches", cast_to=object, options={"params": asked})
                batches = list(islice(entries(fields(page), "data"), _SCAN_LIMIT))
                for batch in batches:
                    if within(batch, "metadata").get(KEY) == key:
                        return identifier(batch.get("id"))
                if not batches or page.get("has_more") is False:
                    break
                scanned, asked = scanned + len(batches), {"limit": "100", "after": identifier(batches[-1].get("id"))}
        return None

    async def state(self, batch_id: str) -> BatchState | None:
        """The state of a batch; None if the endpoint does not know it."""
        import openai

        with translated_errors(self._base_url):
            try:
                found: Any = await self._client.get(f"/batches/{quote(batch_id, safe='')}", cast_to=object)
            except openai.NotFoundError:
                return None
            return _state(fields(found))

    async def lines(self, state: BatchState) -> AsyncIterator[Line]:
        """Streams the lines of both files; skips lines that cannot be read."""
        for file_id in state.files:
            async for text in result_lines(self._stream(f"/files/{quote(file_id, safe='')}/content")):
                if found := read_line(text):
                    yield found

    async def forget(self, state: BatchState) -> None:
        """Deletes its files; ignores failures."""
        for file_id in (state.input_file, *state.files):
            with suppress(EndpointError), translated_errors(self._base_url):
                await self._client.files.delete(file_id)

    async def _stream(self, path: str, most: int = MAX_FILE_BYTES) -> AsyncIterator[bytes]:
        """Streams a resource below the base URL; yields nothing if it no longer exists.

        Raises:
            EndpointError: the download fails, or exceeds `most` bytes.
        """
        import httpx2

        base = URL(self._base_url)
        url = str(base.with_path(base.raw_path + path, keep_query=True, encoded=True))
        sent, size = {**self._access.headers, "Accept-Encoding": "identity"}, 0
        try:
            async with (
                async_client(timeout=TRANSFER_S) as client,
                client.stream("GET", url, headers=sent) as response,
            ):
                if response.status_code in _GONE:
                    logger.warning("%s no longer exists: GEM resubmits its requests", path)
                elif response.status_code != 200:
                    with Growing() as growing:
                        body = await abody_of(response.aiter_raw(), _coding(response), growing)
                    raise from_status(response.status_code, response.headers, body)
                else:
                    async for chunk in unpacked(response.aiter_raw(), _coding(response)):
                        size += len(chunk)
                        if size > most:
                            raise ValueError(f"{path} is larger than {most >> 20} MB")
                        yield chunk
        except httpx2.HTTPError as error:
            raise EndpointError(ErrorClass.CONNECTION, reason(error)) from error
        except ValueError as error:
            raise EndpointError(ErrorClass.CONNECTION, str(error)) from error

    @property
    def _client(self) -> "openai.AsyncOpenAI":
        assert self._sdk, "used outside its context"  # noqa: S101
        return self._sdk


def _coding(response: "httpx2.Response") -> str:
    return response.headers.get("content-encoding", "")


def _state(batch: Json) -> BatchState:
    counts = within(batch, "request_counts")
    first = next(entries(within(batch, "errors"), "data"), Json())
    where = f"line {line}: " if (line := counted(first.get("line"))) else ""
    return BatchState(
        batch_id=identifier(batch.get("id")),
        status=status_of(batch.get("status")),
        total=counted(counts.get("total")),
        completed=counted(counts.get("completed")),
        failed=counted(counts.get("failed")),
        files=tuple(identifier(each) for field in _FILES if (each := batch.get(field))),
        input_file=identifier(batch.get("input_file_id")),
        code=name(first.get("code")),
        error=where + name(first.get("message")) if first else "",
    )
