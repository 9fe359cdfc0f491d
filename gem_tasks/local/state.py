"""The state that `gem up` keeps between starts: ports, passwords and keys, in one private file under GEM_HOME."""

import fcntl
import json
import os
import secrets
import socket
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Set
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from gem_tasks.errors import UserError
from gem_tasks.files import replacing
from gem_tasks.redaction import know

SERVICES = ("postgres", "teacher", "airflow", "worker_logs")
_PREFERRED = {"postgres": 15432, "teacher": 18100, "airflow": 18080, "worker_logs": 18793}
_LOCK_FILE = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW
_reserved: dict[int, int] = {}
"""Ports that this process has chosen, with the open files whose locks say so."""


def _secret() -> str:
    return secrets.token_urlsafe(24)


class State(BaseModel):
    """Created once per GEM_HOME. It never leaves this machine."""

    ports: dict[str, int] = Field(default_factory=dict)
    postgres_password: str = Field(default_factory=_secret)
    admin_password: str = Field(default_factory=_secret)
    viewer_password: str = Field(default_factory=_secret)
    jwt_secret: str = Field(default_factory=lambda: secrets.token_urlsafe(64))
    api_secret: str = Field(default_factory=_secret)
    fernet_key: str = Field(default_factory=lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode())


def load_state(home: Path) -> State:
    """Reads the file, or creates a new state; `save_state` saves it.

    Raises:
        UserError: the file exists but is unreadable.
    """
    path = _path(home)
    try:
        return _known(State.model_validate_json(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return _known(State())
    except (ValidationError, OSError) as error:
        raise UserError(f"{path} cannot be read ({type(error).__name__})", "Fix or remove it.") from error


def _known(state: State) -> State:
    for name, value in state:
        if isinstance(value, str):
            know(name, value)
    return state


def save_state(home: Path, state: State) -> None:
    """Writes the file, readable by its owner only."""
    write_private(_path(home), json.dumps(state.model_dump(), indent=1))


def write_private(path: Path, text: str) -> None:
    """Replaces a file atomically with mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.touch(mode=0o600)
        part.write_text(text, encoding="utf-8")


def settle_ports(state: State, running: Set[str] = frozenset()) -> list[str]:
    """Gives every service a port: the user's, the remembered one, the usual one, or any that is free.

    Args:
        state: where the ports are kept; changed in place.
        running: services that keep their port, because they already listen on it.

    Returns:
        A line for each remembered port that another program has taken since.

    Raises:
        UserError: a port that the user asked for is taken.
    """
    said: list[str] = []
    for name in (service for service in SERVICES if service not in running):
        variable = f"GEM_{name.upper()}_PORT"
        if wanted := os.environ.get(variable):
            if not wanted.isdigit() or not _free(int(wanted)):
                raise UserError(f"Port {wanted} for {name} is taken or invalid", f"Choose another {variable}.")
            state.ports[name] = int(wanted)
            continue
        usual = state.ports.get(name, _PREFERRED[name])
        if _free(usual):
            state.ports[name] = usual
            continue
        if name in state.ports:
            said.append(f"another program uses port {usual} of {name}; choosing another port")
        state.ports[name] = next(port for port in range(_PREFERRED[name] + 1, 65_000) if _usable(port, state))
    return said


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return _reserve(port)


def _reserve(port: int) -> bool:
    """Whether no other process is about to use the port; until this process ends, none will.

    A service listens seconds after its port was chosen, and two starts in that time would choose the same one.
    """
    if port in _reserved:
        return True
    try:
        file = os.open(Path(tempfile.gettempdir()) / f"gem-port-{port}-{os.getuid()}", _LOCK_FILE, 0o600)
    except OSError:  # No folder for such files: as if nothing else were starting.
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    _reserved[port] = file
    return True


def _usable(port: int, state: State) -> bool:
    return port not in state.ports.values() and _free(port)


def _path(home: Path) -> Path:
    return home / "state.json"
