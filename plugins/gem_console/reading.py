"""Asks the lineage and the store in threads of its own: a slow query holds up none of Airflow's."""

import os
from collections.abc import Callable
from functools import cached_property, partial
from threading import Lock
from typing import TypeVar

from airflow.models.connection import Connection
from anyio import CapacityLimiter, to_thread

from gem_tasks.console.chains import Chain, chains, chosen, links
from gem_tasks.lineage.console import ConsolePool, ConsoleRows
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings, load

T = TypeVar("T")
_THREADS = 8


class Reader:
    """One a process; everything is opened when it is first needed."""

    def __init__(self) -> None:
        self._lock = Lock()

    @cached_property
    def _limiter(self) -> CapacityLimiter:
        return CapacityLimiter(_THREADS)

    @cached_property
    def _opened(self) -> tuple[Workspace, ConsolePool]:
        work = Workspace.open(_settings())
        return work, ConsolePool(work.settings.database)

    @property
    def work(self) -> Workspace:
        """Settings, store and recipes."""
        with self._lock:
            return self._opened[0]

    async def ask(self, question: Callable[[ConsoleRows, Workspace], T]) -> T:
        """The answer, found in a thread."""
        return await to_thread.run_sync(partial(self._ask, question), limiter=self._limiter)

    def _ask(self, question: Callable[[ConsoleRows, Workspace], T]) -> T:
        with self._lock:
            work, pool = self._opened
        with pool.rows() as db:
            return question(db, work)

    async def do(self, action: Callable[[Workspace], T]) -> T:
        """The same for what writes, which opens a connection of its own."""
        return await to_thread.run_sync(lambda: action(self.work), limiter=self._limiter)


def chain_of(db: ConsoleRows, work: Workspace, wanted: str | None) -> tuple[Chain | None, list[Chain]]:
    """The chain that a page is about, and all there are."""
    every = chains(links(db), work.recipe_ids()[-1])
    return chosen(every, wanted), every


def _settings() -> Settings:
    """From `GEM_*`, else from the Connections `gem_postgres` and `gem_store`, as tasks have them."""
    values: dict[str, str | None] = {}
    if "GEM_POSTGRES_DSN" not in os.environ and (postgres := _connection("gem_postgres")):
        values["GEM_POSTGRES_DSN"] = postgres.get_uri().replace("postgres://", "postgresql://", 1)
    if "GEM_STORE_URL" not in os.environ and (store := _connection("gem_store")):
        extra = store.extra_dejson
        values["GEM_STORE_URL"] = extra.get("url") or store.host
        values["AWS_ENDPOINT_URL"], values["AWS_REGION"] = extra.get("endpoint_url"), extra.get("region_name")
        values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"] = store.login, store.password
    for name, value in values.items():
        if value:
            os.environ.setdefault(name, value)
    return load()


def _connection(conn_id: str) -> Connection | None:
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        return None
