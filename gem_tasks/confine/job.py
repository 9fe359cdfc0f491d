"""What is to run confined, and what it may: a plain value, so that one process can plan it and another start it."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from gem_tasks.domain.base import Value

SandboxMode = Literal["auto", "require", "off"]
"""`auto`: as far as the machine allows. `require`: not at all where files or network would stay open. `off`: a clean
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
    """An endpoint that may be asked. The program is told an address of this machine and a token in place of the key."""

    base_url: str
    key: SecretStr | None = None
    timeout_s: float = 600


class Job(Value):
    """A program and its bounds."""

    command: tuple[str, ...]
    folder: Path
    """All that it may write to, and where it begins; it lies at the same path inside."""
    reads: tuple[Path, ...] = ()
    """What it may read besides the system's libraries, the interpreters of the command, and `folder`."""
    environment: dict[str, str] = Field(default_factory=dict)
    """All of it but `PATH`, `HOME` and what every program needs; `{agent}` in a value is the address of the upstream of
    that name, `{token}` the token for all of them."""
    upstreams: dict[str, Upstream] = Field(default_factory=dict)
    listens: int | None = None
    """A port of this machine's loopback interface at which it answers."""
    gpus: bool = False
    """Sees the GPUs of the machine."""
    parallel: bool = False
    """Its processes share memory."""
    clustered: bool = False
    """Its processes talk to each other by TCP. Without a network of its own that leaves the machine's open to it."""
    limits: Limits = Limits()
