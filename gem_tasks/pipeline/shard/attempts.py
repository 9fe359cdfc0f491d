"""Sends many records through a stage concurrently; yields outcomes in the order of arrival.

An endpoint that has never answered a request of the recipe first gets a few, drawn from all over the shard; the rest
follow once it has answered one. So a wrong parameter is found with a few calls.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from itertools import chain, islice
from typing import Any

from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.errors import DOUBTFUL
from gem_tasks.pipeline.shard.doubts import FEW, Doubts

_HEAD_START = 64


class Attempts:
    """All attempts of a stage over a shard.

    Args:
        ask: gets the outcome of a record.
        window: most records in progress at once.
        proven: whether the endpoint has answered requests of this recipe before.
    """

    def __init__(self, ask: Callable[[Record], Coroutine[Any, Any, Outcome]], window: int, *, proven: bool) -> None:
        self._ask, self._window = ask, window
        self._doubts = Doubts(proven=proven)
        self._open = proven
        self._running: set[asyncio.Task[Outcome]] = set()
        self._arrived: asyncio.Queue[asyncio.Task[Outcome]] = asyncio.Queue()

    async def outcomes(self, records: Iterator[Record]) -> AsyncGenerator[Outcome]:
        """Yields outcomes that may be recorded, as they become known.

        Raises:
            EndpointError: the configuration is at fault: every other request would fail like those that did.
        """
        records = records if self._open else _spread(records)
        try:
            await self._fill(records)
            while self._running:
                task = await self._arrived.get()
                self._running.discard(task)
                outcome = task.result()
                self._open = self._open or (outcome.cost.calls > 0 and outcome.error_class not in DOUBTFUL)
                settled = self._doubts.settle(outcome)
                await self._fill(records)
                for each in settled:
                    yield each
            for each in self._doubts.end():
                yield each
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _fill(self, records: Iterator[Record]) -> None:
        for started, record in enumerate(islice(records, max(0, self._room() - len(self._running)))):
            task = asyncio.create_task(self._ask(record))
            task.add_done_callback(self._arrived.put_nowait)
            self._running.add(task)
            if started % _HEAD_START == _HEAD_START - 1:
                await asyncio.sleep(0)  # the first requests leave while the others are still being built

    def _room(self) -> int:
        """Number of records that may be started now."""
        if self._doubts.grave:
            return 0
        return self._window if self._open else FEW - len(self._doubts.waiting)


def _spread(records: Iterator[Record]) -> Iterator[Record]:
    """The same records, the first few from different documents: a document's oddity may affect all its segments."""
    head = list(islice(records, _HEAD_START))
    step = max(1, len(head) // FEW)
    first = set(range(0, len(head), step)[:FEW])
    return chain(
        (head[each] for each in sorted(first)),
        (record for each, record in enumerate(head) if each not in first),
        records,
    )
