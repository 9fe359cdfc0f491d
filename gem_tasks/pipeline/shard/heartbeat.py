"""Writes what a running task says about itself to the store, every few seconds, for `gem top`.

To the store, because workers, services and people share no other place that GEM may write and that costs Postgres
nothing. A pulse is worth nothing once its task has ended: it is then deleted, and one that a killed worker left is
recognised by its age.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from gem_tasks.domain.pulse import Pulse
from gem_tasks.errors import StoreError
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.store import keys

logger = logging.getLogger(__name__)

FIRST_S = 1.0
"""Seconds until the first one: most tasks of an hourly run end before."""
EVERY_S = 5.0


@asynccontextmanager
async def beating(job: ShardJob, pulse: Callable[[], Pulse]) -> AsyncGenerator[None]:
    """Writes pulses while the block runs. A store that does not answer costs pulses, not the task."""
    place = job.place
    key = keys.pulse_key(place.recipe_id, place.partition, place.shard)
    leaving = asyncio.Event()
    beats = asyncio.create_task(_beat(job, key, pulse, leaving))
    try:
        yield
    finally:
        leaving.set()
        if await beats:
            with suppress(StoreError):
                await asyncio.to_thread(job.work.store.delete, key)


async def _beat(job: ShardJob, key: str, pulse: Callable[[], Pulse], leaving: asyncio.Event) -> bool:
    """Returns whether it wrote one."""
    wait_s, wrote = FIRST_S, False
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(leaving.wait(), wait_s)
            return wrote
        wait_s, wrote = EVERY_S, True
        try:
            await asyncio.to_thread(job.work.store.put, key, pulse().model_dump_json().encode())
        except StoreError as error:
            logger.debug("cannot write a pulse: %s", error)
