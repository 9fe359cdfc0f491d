"""Checks of `gem doctor --security` for secrets, files, listeners and sources: each gives `(name, ok, detail)`."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg

from gem_tasks.files import PRIVATE
from gem_tasks.local.processes import ours
from gem_tasks.redaction import IN_FORCE
from gem_tasks.settings import Settings

Finding = tuple[str, bool, str]
_LIMIT_S = 5
_POWERS = "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
_KEPT = ("state.json", "services.env", "store", "journal", "logs", "airflow")


def security(settings: Settings) -> Iterator[Finding]:
    """Runs all checks of this module."""
    for look in (secrets, files, listeners, sources, endpoints, models, role, pytorch):
        yield look(settings)


def secrets(settings: Settings) -> Finding:
    """Whether all secrets differ from words, so that GEM can redact them in every text."""
    del settings  # GEM redacts their secrets since it read them
    weak = ", ".join(IN_FORCE.weak)
    told = "have fewer than 8 characters, or look like a word: GEM redacts them in URLs only, so make them longer"
    return "secrets", not weak, f"{weak} {told}" if weak else "GEM redacts every configured secret"


def files(settings: Settings) -> Finding:
    """Whether other users of this machine can read GEM's files."""
    home = settings.home.absolute()
    places = [home / name for name in _KEPT]
    if settings.store_url and "://" not in settings.store_url:
        places.append(Path(settings.store_url))
    open_to_all = [str(path) for path in places if path.exists() and path.stat().st_mode & PRIVATE]
    told = f"{', '.join(open_to_all)} can be read by other users: `gem up` restricts them"
    return "files", not open_to_all, told if open_to_all else f"only the owner can read the files in {home}"


def listeners(settings: Settings) -> Finding:
    """Whether other machines can reach a service of GEM."""
    found: set[str] = set()
    processes = list(ours(settings.home.absolute()))
    if not processes:
        return "listeners", True, "no service of this GEM_HOME is running"
    for process in processes:
        try:
            connections = process.net_connections("tcp")
        except psutil.Error:
            continue
        found |= {f"{each.laddr.ip}:{each.laddr.port}" for each in connections
                  if each.status == psutil.CONN_LISTEN and not _is_loopback(each.laddr.ip)}  # fmt: skip
    told = f"reachable from other machines: {', '.join(sorted(found))}"
    return "listeners", not found, told if found else "the embedded services listen on loopback only"


def sources(settings: Settings) -> Finding:
    """Whether users who start runs can make workers read any file."""
    if settings.source_roots:
        return "sources", True, f"GEM reads documents from {settings.source_roots} only"
    return "sources", False, "users who start runs can read any file that GEM's user can read: set GEM_SOURCE_ROOTS"


def endpoints(settings: Settings) -> Finding:
    """Whether users who start evaluations can send GEM's keys to any host."""
    keys = any((settings.eval_api_key, settings.eval_user_api_key))
    if settings.eval_endpoints or not keys:
        return (
            "endpoints",
            True,
            "GEM sends evaluation keys to permitted URLs only" if keys else "no evaluation key is set",
        )
    return (
        "endpoints",
        False,
        "users who start gem_distill choose where GEM sends GEM_EVAL_API_KEY: set GEM_EVAL_ENDPOINTS",
    )


def models(settings: Settings) -> Finding:
    """Which folders users who start gem_distill can have loaded as a model."""
    roots = settings.model_roots
    return (
        "models",
        True,
        f"runs load weights from {roots} and the hub only" if roots else "runs load the hub's models only",
    )


def role(settings: Settings) -> Finding:
    """Whether GEM's database role may do more than its services need."""
    if not settings.postgres_dsn:
        return "database role", True, "no database is configured"
    try:
        with psycopg.connect(settings.postgres_dsn.get_secret_value(), connect_timeout=_LIMIT_S) as connection:
            user, powerful = connection.execute(_POWERS).fetchone() or ("", True)
    except psycopg.Error as error:
        return "database role", False, f"the database does not answer ({type(error).__name__}), so this was not checked"
    told = f"{user} may do everything in the database server: give each service a separate role (docs/security.md)"
    return "database role", not powerful, told if powerful else f"{user} is neither superuser nor may make roles"


def pytorch(settings: Settings) -> Finding:
    """Whether PyTorch is checked by hash when it is installed."""
    del settings
    checked = os.environ.get("GEM_TORCH_LOCK") != "none"
    told = "GEM installs PyTorch without checking its hash: unset GEM_TORCH_LOCK, or name a file of hashes"
    return "pytorch", checked, "GEM installs PyTorch and the packages of harnesses by hash" if checked else told


def _is_loopback(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    mapped = packed[12:] if packed[:12] == b"\0" * 10 + b"\xff\xff" else packed
    return packed == b"\0" * 15 + b"\1" or (len(mapped) == 4 and mapped[0] == 127)
