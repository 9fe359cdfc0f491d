"""Every completion is durable as soon as it arrives, so that no answer is paid for twice.

A line goes to a local file before the caller goes on: a process killed on this machine loses only the calls in flight.
The file is synced right behind, many lines at a time, so a power failure costs a moment. Every few seconds the new
lines follow to the object store in one chunk, so a worker on another machine loses the calls of those seconds too.
Lines are found again by the request itself: whatever asks the same gets the answer that is there. When a shard is
finished its outcomes take the journal's place and it is discarded.
"""

import asyncio
import logging
import os
import shutil
import uuid
from contextlib import suppress
from functools import partial
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.errors import StoreError
from gem_tasks.pipeline.journal.kept import KeptAnswers
from gem_tasks.ports import ChatClient, ObjectStore

logger = logging.getLogger(__name__)

_SYNC_S = 0.1
"""Between syncs: what a power failure may cost."""


class Journal:
    """The answers of one unfinished shard. An async context manager while answers arrive.

    Args:
        folder: of this shard, on a local disk.
        store: where the chunks go.
        prefix: of this shard, in the store.
        every_s: seconds between chunks.
        beside: prefix of another journal, whose answers are taken and left where they are: others may need them.
    """

    def __init__(self, folder: Path, store: ObjectStore, prefix: str, every_s: float, beside: str = "") -> None:
        self._beside = beside
        self._folder, self._store, self._prefix, self._every_s = folder, store, prefix, every_s
        self._writer = uuid.uuid4().hex[:12]
        self._answers = KeptAnswers(folder)
        self._file: FileIO | None = None
        self._count = 0
        self._syncing: asyncio.Task[None] | None = None
        self._unsent: list[bytes] = []
        self._chunks: list[str] = []
        self._sent = 0
        self._sending = asyncio.Lock()
        self._leaving = asyncio.Event()
        self._shipping: asyncio.Task[None] | None = None

    def load(self) -> int:
        """Finds what earlier tries left here and in the store; returns how many answers there are.

        Raises:
            StoreError: the store cannot be read, or the disk not be written.
        """
        self._answers.add_local()
        self._chunks = list(self._store.list(self._prefix))
        beside = list(self._store.list(self._beside)) if self._beside else []
        for key in (*self._chunks, *beside):
            self._answers.add_chunk(key.rpartition("/")[2], partial(self._store.get, key))
        return len(self._answers)

    def take(self, key: str) -> Completion | None:
        """An answer to this request that nobody has taken yet."""
        return self._answers.take(key)

    async def append(self, key: str, completion: Completion) -> None:
        """Returns when the answer survives this process. Syncing to the disk follows at once, in groups.

        Raises:
            StoreError: it could not be written, or what was written before could not be synced.
        """
        self._count += 1
        line = b'{"key":"%b","id":"%b-%d","completion":%b}\n' % (
            key.encode(), self._writer.encode(), self._count, completion.model_dump_json().encode()
        )  # fmt: skip
        try:
            if self._syncing and self._syncing.done():
                self._syncing.result()
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._file = (self._folder / f"{self._writer}.jsonl").open("ab", buffering=0)
            self._file.write(line)  # into the system's cache, which takes microseconds: not worth a thread
        except OSError as problem:
            raise StoreError(f"{self._folder} cannot be written: {problem.strerror}") from problem
        self._unsent.append(line)
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._sync(self._file.fileno()))

    async def flush(self) -> None:
        """Sends what is unsent: somebody on another machine may go on from here.

        Raises:
            StoreError: the store is away.
        """
        await self._send()
        if self._unsent:
            raise StoreError(f"{self._store.url(self._prefix)} cannot be written, and another worker may need it")

    def discard(self) -> None:
        """Removes it everywhere: the outcomes are saved."""
        self._answers.close()
        for key in self._chunks:
            self._store.delete(key)
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # another shard lies there too
            for above in self._folder.parents[: self._prefix.strip("/").count("/")]:
                above.rmdir()

    async def __aenter__(self) -> Self:
        """Begins shipping."""
        self._shipping = asyncio.create_task(self._ship())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops. What is not synced and sent yet only matters when the shard did not end well.

        A chunk under way is waited for: its thread cannot be stopped, and its lines are nowhere else to be sent from.
        """
        self._leaving.set()
        if self._syncing and not error:
            self._syncing.cancel()
        await asyncio.gather(*filter(None, (self._shipping, self._syncing)), return_exceptions=True)
        if self._file:
            self._file.close()
        self._answers.close()
        if error:
            await self._send()

    async def _sync(self, handle: int) -> None:
        """One sync for all that arrived in a moment."""
        await asyncio.sleep(_SYNC_S)
        await asyncio.to_thread(os.fdatasync, handle)

    async def _ship(self) -> None:
        while not self._leaving.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), self._every_s)
                return
            await self._send()

    async def _send(self) -> None:
        """One chunk of what is new. A store that is away for a moment does not stop the stage."""
        async with self._sending:
            lines, self._unsent = self._unsent, []
            if not lines:
                return
            key = f"{self._prefix}{self._writer}-{self._sent:06d}.jsonl.zst"
            # Numbered and listed beforehand: a write that fails for us may yet have arrived.
            self._sent += 1
            self._chunks.append(key)
            try:
                await asyncio.to_thread(lambda: self._store.put(key, _pack(lines)))
            except StoreError as error:
                logger.warning("the journal stays local for now: %s", error)
                self._unsent = lines + self._unsent


class JournaledClient:
    """A `ChatClient` that asks only what the journal has no answer to.

    Attributes:
        replayed: answers that came from the journal.
    """

    def __init__(self, client: ChatClient, journal: Journal) -> None:
        self._client, self._journal = client, journal
        self.replayed = 0

    async def complete(self, request: ChatRequest) -> Completion:
        """From the journal, or made and written there; see `ChatClient.complete`."""
        key = request.key
        if found := self._journal.take(key):
            self.replayed += 1
            return found
        completion = await self._client.complete(request)
        await self._journal.append(key, completion)
        return completion


def _pack(lines: list[bytes]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(b"".join(lines))
    return sink.getvalue().to_pybytes()
