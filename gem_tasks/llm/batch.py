"""The Batch API of one endpoint: requests go up as a file, answers come down as files, hours later at half the price.

Owns the protocol. Keeps nothing between calls and retries nothing: `pipeline.visit` records what was submitted, and
Airflow calls again. platform.openai.com/docs/guides/batch
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatRequest
from gem_tasks.errors import EndpointError, UserError
from gem_tasks.llm.batch_file import URL, Line, line, read_line
from gem_tasks.llm.dialect import shape_of, speak
from gem_tasks.llm.memory import Known, Memory
from gem_tasks.llm.presets import preset_for

if TYPE_CHECKING:
    import openai
    from openai.types import Batch

logger = logging.getLogger(__name__)

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_KEY = "gem_key"
_SCAN_LIMIT = 1000
"""How many of the newest batches are looked through for one of ours: the API has no filter."""
_TRANSFER_S = 900.0
_NO_SUCH_API = frozenset({404, 405, 501})
_REFUSES = frozenset({400, 413, 422})


class BatchState(Value):
    """Where a batch stands."""

    batch_id: str
    status: str
    """As the API says: `validating`, `in_progress`, …"""
    total: int = 0
    completed: int = 0
    failed: int = 0
    files: tuple[str, ...] = ()
    """Ids of the output and the error file, as far as there are."""
    input_file: str
    code: str = ""
    """Of the first error, when the batch as a whole failed."""
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED


class BatchClient:
    """An async context manager: leaving it closes the connections. Raises EndpointError wherever the endpoint fails.

    Args:
        base_url: ends in `/v1`.
        api_key: None for servers that want none.
        memory: what calls have found out about the endpoint.
        presets: the user's own, see `preset_for`.
        headers: further ones for every request.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        memory: Memory | None = None,
        presets: Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._base_url, self._api_key, self._headers = base_url, api_key, headers
        self._memory, self._presets = memory or Memory(None, base_url), presets
        self._known: dict[str, Known] = {}
        self._sdk: openai.AsyncOpenAI | None = None

    async def __aenter__(self) -> Self:
        """Opens no connection yet."""
        from gem_tasks.llm.sdk import sdk

        # It reads certificates for a good while, and in the triggerer others share the loop.
        self._sdk = await asyncio.to_thread(sdk, self._base_url, self._api_key, self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connections."""
        await self._client.close()

    def line(self, custom_id: str, request: ChatRequest) -> bytes:
        """A line of the input file, in the dialect that calls have learned; nothing is streamed in a batch.

        A JSON schema goes along only where the endpoint is known to take one.
        """
        model = request.model
        if model not in self._known:
            self._known[model] = self._memory.recall(model, preset_for(self._base_url, model, self._presets))
        known = self._known[model]
        if request.answer_schema and shape_of(request) not in known.proved:
            request = request.without_schema()
        return line(custom_id, speak(request, known.dialect.model_copy(update={"stream": False})))

    async def submit(self, path: Path, key: str) -> str:
        """Uploads an input file and creates its batch, which carries `key` in its metadata; returns the batch's id.

        Raises:
            UserError: the endpoint has no Batch API.
        """
        with _errors(self._base_url, sure=False):
            with path.open("rb") as file:
                uploaded = await self._client.files.create(file=(path.name, file), purpose="batch", timeout=_TRANSFER_S)
            batch = await self._client.batches.create(
                input_file_id=uploaded.id, endpoint=URL, completion_window="24h", metadata={_KEY: key}
            )
        return batch.id

    async def find(self, key: str) -> str | None:
        """The id of the batch with this key in its metadata, if there is one among the newest."""
        import openai

        scanned = 0
        with _errors(self._base_url), suppress(openai.NotFoundError):  # not every endpoint can list
            async for batch in self._client.batches.list(limit=100):
                if (batch.metadata or {}).get(_KEY) == key:
                    return batch.id
                scanned += 1
                if scanned >= _SCAN_LIMIT:
                    break
        return None

    async def state(self, batch_id: str) -> BatchState | None:
        """Where it stands; None when the endpoint knows of no such batch."""
        import openai

        with _errors(self._base_url):
            try:
                return _state(await self._client.batches.retrieve(batch_id))
            except openai.NotFoundError:
                return None

    async def lines(self, state: BatchState) -> AsyncIterator[Line]:
        """Every line of both files, streamed; lines that cannot be read are left out."""
        for file_id in state.files:
            async for text in _split(self._content(file_id)):
                if found := read_line(text):
                    yield found

    async def forget(self, state: BatchState) -> None:
        """Deletes its files; it does not matter if that fails."""
        for file_id in (state.input_file, *state.files):
            with suppress(EndpointError), _errors(self._base_url):
                await self._client.files.delete(file_id)

    async def _content(self, file_id: str) -> AsyncIterator[bytes]:
        """A file as it arrives; nothing when it is gone."""
        import openai

        with _errors(self._base_url):
            try:
                async with self._client.files.with_streaming_response.content(file_id, timeout=_TRANSFER_S) as response:
                    async for chunk in response.iter_bytes():
                        yield chunk
            except openai.NotFoundError:
                logger.warning("%s is gone: its requests have to be asked again", file_id)

    @property
    def _client(self) -> "openai.AsyncOpenAI":
        assert self._sdk, "used outside its context"  # noqa: S101
        return self._sdk


@contextmanager
def _errors(base_url: str, sure: bool = True) -> Generator[None]:
    """Turns the SDK's errors into ours.

    Args:
        base_url: for the message.
        sure: False for the first steps, when it may turn out that there is no Batch API, or none for this.
    """
    import openai

    from gem_tasks.llm.sdk import from_sdk

    try:
        yield
    except openai.OpenAIError as error:
        if isinstance(error, openai.APIStatusError) and not sure and error.status_code in _NO_SUCH_API:
            raise UserError(
                f"{base_url} has no Batch API ({error.status_code} for {error.request.url.path})",
                "Set GEM_LLM_MODE (or that of the stage) to `online`, or choose an endpoint that has one.",
            ) from None
        if isinstance(error, openai.APIStatusError) and not sure and error.status_code in _REFUSES:
            raise UserError(
                f"{base_url} refuses the batch: {from_sdk(error).detail}",
                "Mend what it complains of, and run it again.",
            ) from None
        raise from_sdk(error) from None  # its text may repeat the key


def _state(batch: "Batch") -> BatchState:
    counts = batch.request_counts
    first = batch.errors.data[0] if batch.errors and batch.errors.data else None
    where = f"line {first.line}: " if first and first.line else ""
    return BatchState(
        batch_id=batch.id,
        status=batch.status,
        total=counts.total if counts else 0,
        completed=counts.completed if counts else 0,
        failed=counts.failed if counts else 0,
        files=tuple(filter(None, (batch.output_file_id, batch.error_file_id))),
        input_file=batch.input_file_id,
        code=(first.code if first else None) or "",
        error=f"{where}{first.message}" if first else "",
    )


async def _split(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines. The SDK's own splitting breaks at U+2028 and its like, which may stand inside JSON."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for text in whole:
            yield text
    yield rest
