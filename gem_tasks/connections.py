"""Airflow's Connections as the variables that GEM reads, looked up anew whenever a job begins.

A deployment defines the Connections `gem_postgres`, `gem_store` and `gem_llm`; the embedded services set `GEM_*`
variables. What a variable says wins, so that a worker can be pointed elsewhere without touching Airflow. The triggerer
and the API server live for weeks: what they took from a Connection earlier is replaced, or goes, with the Connection,
so that a rotated key is seen without a restart.
"""

import json
import os
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Protocol


class ConnectionLike(Protocol):
    """What is read of an Airflow Connection."""

    host: str | None
    login: str | None
    password: str | None

    @property
    def extra_dejson(self) -> Mapping[str, Any]:
        """The fields that have no column."""
        ...

    def get_uri(self) -> str:
        """All of it in one line."""
        ...


Find = Callable[[str], ConnectionLike | None]
"""The Connection of that id, if there is one."""

_lock = Lock()
_taken: dict[str, str] = {}
"""Variables of this process that come from Connections."""


def refresh(find: Find) -> bool:
    """Sets what the deployment does not set itself to what the Connections say now; whether that changed anything."""
    with _lock:
        given = {name for name, value in os.environ.items() if _taken.get(name) != value}
        found = {name: value for name, value in _values(find, given).items() if name not in given}
        for name in _taken.keys() - found.keys() - given:
            os.environ.pop(name, None)
        os.environ.update(found)
        changed = found != _taken
        _taken.clear()
        _taken.update(found)
        return changed


def _values(find: Find, given: set[str]) -> dict[str, str]:
    found: dict[str, str | None] = {}
    if "GEM_POSTGRES_DSN" not in given and (postgres := find("gem_postgres")):
        found["GEM_POSTGRES_DSN"] = postgres.get_uri().replace("postgres://", "postgresql://", 1)
    if "GEM_STORE_URL" not in given and (store := find("gem_store")):
        found |= _store(store)
    if "GEM_LLM_BASE_URL" not in given and (llm := find("gem_llm")):
        found["GEM_LLM_BASE_URL"] = llm.extra_dejson.get("base_url") or llm.host
        found["GEM_LLM_API_KEY"] = llm.password
        found["GEM_LLM_API"] = llm.extra_dejson.get("api")
        if headers := llm.extra_dejson.get("extra_headers"):
            found["GEM_LLM_EXTRA_HEADERS"] = headers if isinstance(headers, str) else json.dumps(headers)
    return {name: str(value) for name, value in found.items() if value}


def _store(connection: ConnectionLike) -> dict[str, str | None]:
    extra = connection.extra_dejson
    return {
        "GEM_STORE_URL": extra.get("url") or connection.host,
        "AWS_ENDPOINT_URL": extra.get("endpoint_url"),
        "AWS_REGION": extra.get("region_name"),
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
    }
