"""Writes what a running task says about itself to the store, every few seconds, for `gem top`.

To the store, because workers, services and people share no other place that GEM may write and that costs Postgres
nothing. A pulse is worth nothing once its task has ended: it is then deleted, and one that a killed worker left is
recognised by its age; `gem gc` removes it after a day.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context

from gem_tasks.domain.pulse import Pulse
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.store import keys

logger = logging.getLogger(__name__)

FIRST_S = 1.0
"""Seconds until the first one: most tasks of an hourly run end before."""
EVERY_S = 5.0
_LEAVE_S = 5.0
"""Seconds that an ended task waits for its last pulse, and for its removal."""


@asynccontextmanager
async def beating(job: ShardJob, pulse: Callable[[], Pulse]) -> AsyncGenerator[None]:
    """Writes pulses while the block runs. A fault costs pulses, and a few seconds at the end, but never the task."""
    place = job.place
    key = keys.pulse_key(place.recipe_id, place.partition, place.shard)
    leaving = asyncio.Event()
    beats = asyncio.create_task(_beat(job, key, pulse, leaving))
    try:
        yield
    finally:
        leaving.set()
        try:
            async with asyncio.timeout(_LEAVE_S):
                if await beats:
                    await _aside(lambda: job.work.store.delete(key))
        except Exception as error:  # noqa: BLE001 - it only informs
            logger.warning("cannot remove the last pulse: %s", str(error) or "the store does not answer")


async def _beat(job: ShardJob, key: str, pulse: Callable[[], Pulse], leaving: asyncio.Event) -> bool:
    """Returns whether it wrote one, or tried to."""
    wait_s, wrote, failed = FIRST_S, False, False
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(leaving.wait(), wait_s)
            return wrote
        wait_s, wrote = EVERY_S, True
        try:
            data = pulse().model_dump_json().encode()
            await _aside(lambda data=data: job.work.store.put(key, data))
        except Exception as error:  # noqa: BLE001 - it only informs
            if not failed:
                logger.warning("cannot write a pulse for `gem top`: %s", error)
            failed = True


async def _aside(do: Callable[[], object]) -> None:
    """Runs it in a daemon thread: `asyncio.run` would wait without limit for one of `asyncio.to_thread`."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if done.done():  # nothing waits for it any longer
            return
        if error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def go() -> None:
        fault: Exception | None = None
        try:
            do()
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            fault = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, fault)

    threading.Thread(target=copy_context().run, args=(go,), daemon=True, name="pulse").start()
    await done
