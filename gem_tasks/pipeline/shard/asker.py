"""How a stage gets the outcome of one record: from one model that answers, or from two that talk in a world."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from gem_tasks.domain.stage import SIMULATED_USER
from gem_tasks.pipeline.journal.journal import Journal, JournaledClient
from gem_tasks.pipeline.shard.attempt import attempt
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.spending import spending
from gem_tasks.pipeline.shard.watch import Ask, Watch
from gem_tasks.pipeline.worlds.playing import MOST, Playing

_WINDOW = 2
"""Records in progress per request in flight: the additional ones wait for a slot, back off, or are being saved."""


class Asker(NamedTuple):
    """While the endpoints are open."""

    ask: Ask
    clients: tuple[JournaledClient, ...]
    window: int
    """Most records in progress at once."""

    @property
    def replayed(self) -> int:
        """Number of answers from the journal."""
        return sum(client.replayed for client in self.clients)


@asynccontextmanager
async def asker(job: ShardJob, journal: Journal, watch: Watch) -> AsyncGenerator[Asker]:
    """Opens the endpoints of a stage, with prices and the budget; `watch` sees every call."""
    window = _WINDOW * job.work.settings.llm_concurrency
    async with _client(job, job.name, journal, watch) as client:
        if job.name != "simulate":
            yield Asker(partial(attempt, job.stage, job.asking, client=client), (client,), window)
            return
        async with _client(job, SIMULATED_USER, journal, watch) as user:
            playing = Playing(job.work, {"assistant": client, "user": user})
            yield Asker(playing.play, (client, user), min(window, MOST))


@asynccontextmanager
async def _client(job: ShardJob, name: str, journal: Journal, watch: Watch) -> AsyncGenerator[JournaledClient]:
    async with job.work.client(name) as endpoint, spending(job, name) as meter:
        yield JournaledClient(watch.client(name, endpoint, meter(endpoint)), journal)
