"""Airflow's Connections as the variables that GEM reads: values for `settings.load`, never written to the environment.

A deployment defines the Connections `gem_postgres`, `gem_store` and `gem_llm`; the embedded services set `GEM_*`
variables. Variables take precedence, so that a worker can use others without a change in Airflow. Tasks, the triggerer
and the API server read the Connections whenever a job or a page starts, so a rotated key needs no restart.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gem_tasks.variables import log_mistyped


class ConnectionLike(Protocol):
    """The part of an Airflow Connection that GEM reads."""

    host: str | None
    login: str | None
    password: str | None

    @property
    def extra_dejson(self) -> Mapping[str, Any]:
        """The fields without a column."""
        ...

    def get_uri(self) -> str:
        """The whole Connection in one line."""
        ...


Find = Callable[[str], ConnectionLike | None]
"""Returns the Connection with that id, if there is one."""


def values(find: Find, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables from Connections that the environment leaves unset, by name."""
    given = {name for name, value in environ.items() if value}
    found: dict[str, str | None] = {}
    if "GEM_POSTGRES_DSN" not in given and (postgres := find("gem_postgres")):
        found["GEM_POSTGRES_DSN"] = postgres.get_uri().replace("postgres://", "postgresql://", 1)
    if "GEM_STORE_URL" not in given and (store := find("gem_store")):
        found |= _store(store)
    if "GEM_LLM_BASE_URL" not in given and (llm := find("gem_llm")):
        found |= _llm(llm)
    return {name: str(value) for name, value in found.items() if value and name not in given}


def _extra(conn_id: str, connection: ConnectionLike, *names: str) -> Mapping[str, Any]:
    log_mistyped(f"Connection {conn_id}", connection.extra_dejson, names)
    return connection.extra_dejson


def _store(connection: ConnectionLike) -> dict[str, str | None]:
    extra = _extra("gem_store", connection, "url", "endpoint_url", "region_name")
    return {
        "GEM_STORE_URL": extra.get("url") or connection.host,
        "AWS_ENDPOINT_URL": extra.get("endpoint_url"),
        "AWS_REGION": extra.get("region_name"),
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
    }


def _llm(connection: ConnectionLike) -> dict[str, str | None]:
    extra = _extra("gem_llm", connection, "base_url", "api", "extra_headers")
    headers = extra.get("extra_headers")
    return {
        "GEM_LLM_BASE_URL": extra.get("base_url") or connection.host,
        "GEM_LLM_API_KEY": connection.password,
        "GEM_LLM_API": extra.get("api"),
        "GEM_LLM_EXTRA_HEADERS": headers if isinstance(headers, str) or not headers else json.dumps(headers),
    }
