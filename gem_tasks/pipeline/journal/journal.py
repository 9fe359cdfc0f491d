"""Makes every completion durable as soon as it arrives, so that GEM pays for no answer twice.

A line goes to a local file before the caller continues: killing a process on this machine loses only the calls in
flight. The file is synced right afterwards, many lines at a time, so a power failure costs a moment. Every few seconds
the new lines follow to the object store in one chunk, so a worker on another machine also loses the calls of those
seconds. Lines are found by the request itself: the same request gets the stored answer. When a shard is finished, its
outcomes replace the journal, which is then discarded.
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
"""Seconds between syncs: the most that a power failure costs."""


class Journal:
    """The answers of one unfinished shard. An async context manager while answers arrive.

    Args:
        folder: local folder of this shard.
        store: where the chunks go.
        prefix: prefix of this shard in the store.
        every_s: seconds between chunks.
        beside: prefix of another journal, whose answers are read and left in place: others may need them.
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
        """Loads the answers of earlier attempts from disk and store; returns their number.

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
        """Returns an answer to this request that was not taken yet, or None."""
        return self._answers.take(key)

    async def append(self, key: str, completion: Completion) -> None:
        """Returns when the answer survives this process. The sync to disk follows immediately, in groups.

        Raises:
            StoreError: the line could not be written, or an earlier one not synced.
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
            self._file.write(line)  # into the page cache, which takes microseconds: not worth a thread
        except OSError as problem:
            raise StoreError(f"cannot write to {self._folder}: {problem.strerror}") from problem
        self._unsent.append(line)
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._sync(self._file.fileno()))

    async def flush(self) -> None:
        """Sends all unsent lines, so that a worker on another machine can continue from here.

        Raises:
            StoreError: the store is unavailable.
        """
        await self._send()
        if self._unsent:
            raise StoreError(f"cannot write to {self._store.url(self._prefix)}, which other workers may need")

    def discard(self) -> None:
        """Removes the journal from disk and store: the outcomes are saved."""
        self._answers.close()
        for key in self._chunks:
            self._store.delete(key)
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # the folder of another shard is there too
            for above in self._folder.parents[: self._prefix.strip("/").count("/")]:
                above.rmdir()

    async def __aenter__(self) -> Self:
        """Starts sending chunks."""
        self._shipping = asyncio.create_task(self._ship())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops sending. Lines not yet synced and sent matter only if the shard did not finish.

        Waits for a chunk in flight: its thread cannot be stopped, and its lines exist nowhere else to be sent from.
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
        """One sync for all lines of a moment."""
        await asyncio.sleep(_SYNC_S)
        await asyncio.to_thread(os.fdatasync, handle)

    async def _ship(self) -> None:
        while not self._leaving.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), self._every_s)
                return
            await self._send()

    async def _send(self) -> None:
        """Sends the new lines as one chunk. A brief outage of the store does not stop the stage."""
        async with self._sending:
            lines, self._unsent = self._unsent, []
            if not lines:
                return
            key = f"{self._prefix}{self._writer}-{self._sent:06d}.jsonl.zst"
            # Numbered and listed before sending: a write that fails for us may still have arrived.
            self._sent += 1
            self._chunks.append(key)
            try:
                await asyncio.to_thread(lambda: self._store.put(key, _pack(lines)))
            except StoreError as error:
                logger.warning("cannot send the journal to the store yet; it is kept locally: %s", error)
                self._unsent = lines + self._unsent


class JournaledClient:
    """A `ChatClient` that calls the endpoint only for requests without an answer in the journal.

    Attributes:
        replayed: number of answers from the journal.
    """

    def __init__(self, client: ChatClient, journal: Journal) -> None:
        self._client, self._journal = client, journal
        self.replayed = 0

    async def complete(self, request: ChatRequest) -> Completion:
        """Answers from the journal, or calls the endpoint and records the answer; see `ChatClient.complete`."""
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
