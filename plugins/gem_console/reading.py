"""Asks the lineage and the store in threads of its own: a slow query holds up none of Airflow's.

The API server lives for weeks, so every question looks anew at settings, Connections and prompts. Only what is dear to
make is kept: the store and the pool of connections, until they would be others.
"""

import os
from collections.abc import Callable
from functools import cached_property, partial
from threading import Lock
from typing import TypeVar

from airflow.models.connection import Connection
from anyio import CapacityLimiter, to_thread

from gem_tasks.connections import refresh
from gem_tasks.console.chains import Chain, chains, chosen, links
from gem_tasks.lineage.console import ConsolePool, ConsoleRows
from gem_tasks.pipeline import recipes
from gem_tasks.pipeline.prompt_files import load_prompts
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.ports import ObjectStore
from gem_tasks.settings import Settings, load
from gem_tasks.store import open_store

T = TypeVar("T")
_THREADS = 8


class Reader:
    """One a process; everything is opened when it is first needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._store: tuple[object, ObjectStore] | None = None
        self._pool: tuple[str, ConsolePool] | None = None

    @cached_property
    def _limiter(self) -> CapacityLimiter:
        return CapacityLimiter(_THREADS)

    async def ask(self, question: Callable[[ConsoleRows, Workspace], T]) -> T:
        """The answer, found in a thread."""
        return await to_thread.run_sync(partial(self._ask, question), limiter=self._limiter)

    def _ask(self, question: Callable[[ConsoleRows, Workspace], T]) -> T:
        work = self.work()
        with self._pool_of(work.settings.database).rows() as db:
            return question(db, work)

    async def do(self, action: Callable[[Workspace], T]) -> T:
        """The same for what writes, which opens a connection of its own."""
        return await to_thread.run_sync(lambda: action(self.work()), limiter=self._limiter)

    def work(self) -> Workspace:
        """Settings, store and recipes as they are now."""
        refresh(_connection)
        settings = load()
        chain = recipes.Chain(settings, load_prompts(settings))
        return Workspace(settings=settings, store=self._store_of(settings), chain=chain)

    def _store_of(self, settings: Settings) -> ObjectStore:
        aws = sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
        with self._lock:
            if self._store is None or self._store[0] != (settings.store_root, aws):
                self._store = (settings.store_root, aws), open_store(settings.store_root)
            return self._store[1]

    def _pool_of(self, dsn: str) -> ConsolePool:
        with self._lock:
            if self._pool is None or self._pool[0] != dsn:
                if self._pool:
                    self._pool[1].close()
                self._pool = dsn, ConsolePool(dsn)
            return self._pool[1]


def chain_of(db: ConsoleRows, work: Workspace, wanted: str | None) -> tuple[Chain | None, list[Chain]]:
    """The chain that a page is about, and all there are."""
    every = chains(links(db), work.recipe_ids()[-1])
    return chosen(every, wanted), every


def _connection(conn_id: str) -> Connection | None:
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        return None
