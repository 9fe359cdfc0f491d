"""A confined program and its permissions: a plain value, so that one process can plan it and another start it."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from gem_tasks.domain.base import Value

SandboxMode = Literal["auto", "require", "off"]
"""`auto`: the best that the machine allows. `require`: refuse if files or network would stay open. `off`: a clean
environment and limits only."""


class Limits(Value):
    """Per process, but for `processes`; None: no bound."""

    memory_gb: float | None = Field(default=8, gt=0)
    """Of data: heap and private mappings."""
    processes: int = Field(default=1024, ge=1)
    """Of the whole sandbox; threads count."""
    open_files: int = Field(default=4096, ge=16)
    file_gb: float | None = Field(default=4, gt=0)
    """Of one file."""
    scratch_gb: float = Field(default=4, gt=0)
    """Of `/tmp`, and of shared memory, which are both in memory; of a sandbox with namespaces only."""


class Upstream(Value):
    """A permitted endpoint. The program gets an address of this machine and a token instead of the key."""

    base_url: str
    key: SecretStr | None = None
    timeout_s: float = 600


class Job(Value):
    """A program and its bounds."""

    command: tuple[str, ...]
    folder: Path
    """The only folder that it may write to, and its working directory; it has the same path inside."""
    reads: tuple[Path, ...] = ()
    """Paths that it may read in addition to system libraries, the command's interpreters, and `folder`."""
    environment: dict[str, str] = Field(default_factory=dict)
    """All of it but `PATH`, `HOME` and what every program needs; `{agent}` in a value is the address of the upstream of
    that name, `{token}` the token for all endpoints."""
    upstreams: dict[str, Upstream] = Field(default_factory=dict)
    listens: int | None = None
    """A port of this machine's loopback interface at which it answers."""
    gpus: bool = False
    """Sees the GPUs of the machine."""
    parallel: bool = False
    """Its processes share memory."""
    clustered: bool = False
    """Its processes communicate by TCP. Without a separate network this leaves the machine's network open to it."""
    limits: Limits = Limits()
