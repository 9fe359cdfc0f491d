"""Queries lineage and store in separate threads, so that a slow query does not block Airflow's.

The API server runs for weeks, so every query reads Connections and prompts again. Settings, the store and the
connection pool are kept until a Connection changes.
"""

import os
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from threading import Lock
from typing import TypeVar

from airflow.models.connection import Connection
from anyio import CapacityLimiter, to_thread

from gem_tasks.connections import values
from gem_tasks.console.chains import Chain, chains, chosen
from gem_tasks.lineage.console import ConsolePool, ConsoleRows
from gem_tasks.pipeline.prompt_files import load_prompts
from gem_tasks.pipeline.recipes import Chain as Recipes
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load
from gem_tasks.store import open_store

T = TypeVar("T")
_THREADS = 8


class Reader:
    """One per process; opens everything on first use."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opened: _Opened | None = None

    @cached_property
    def _limiter(self) -> CapacityLimiter:
        return CapacityLimiter(_THREADS)

    async def ask(self, question: Callable[[ConsoleRows, Workspace], T]) -> T:
        """Answers the question in a thread, on a pooled read-only connection."""
        return await to_thread.run_sync(partial(self._ask, question), limiter=self._limiter)

    def _ask(self, question: Callable[[ConsoleRows, Workspace], T]) -> T:
        opened = self._open()
        with opened.pool.rows() as db:
            return question(db, opened.work())

    async def do(self, action: Callable[[Workspace], T]) -> T:
        """Runs a writing action in a thread; the action opens its own connection."""
        return await to_thread.run_sync(lambda: action(self._open().work()), limiter=self._limiter)

    def _open(self) -> "_Opened":
        with self._lock:
            connected = values(_connection, os.environ)
            if self._opened and self._opened.connected != connected:
                self._opened.pool.close()
                self._opened = None
            if self._opened is None:
                self._opened = _Opened(connected)
            return self._opened


class _Opened:
    """Settings, store and pool, which stay valid until a Connection changes."""

    def __init__(self, connected: Mapping[str, str]) -> None:
        self.connected = connected
        settings = load(connected)
        self.pool = ConsolePool(settings.database)
        self._settings, self._store = settings, open_store(settings.store_root, settings.s3)

    def work(self) -> Workspace:
        """A workspace with the current recipes: prompts may be edited at any time."""
        chain = Recipes(self._settings, load_prompts(self._settings))
        return Workspace(settings=self._settings, store=self._store, chain=chain)


def chain_of(db: ConsoleRows, work: Workspace, wanted: str | None) -> tuple[Chain | None, list[Chain]]:
    """The chain that a page shows, and all chains."""
    synthesizer = work.with_synthesizer
    confirm = [synthesizer.chain.id_of("confirm")] if synthesizer else []
    ends = [*(line.recipe_ids()[-1] for line in work.lines()), *confirm]
    every = chains(db.prompts.recipes(), ends, *confirm)
    return chosen(every, wanted), every


def _connection(conn_id: str) -> Connection | None:
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        return None
