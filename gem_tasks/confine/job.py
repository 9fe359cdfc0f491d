"""A confined program and its permissions: a plain value, so that one process can plan it and another start it."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from gem_tasks.domain.base import Value

SandboxMode = Literal["auto", "require", "off"]
"""`auto`: the best that the machine allows. `require`: refuse if files or network would stay open. `off`: a clean
environment and limits only."""


Answer = tuple[int, dict[str, str], bytes]
"""Status, headers by name in lower case, and body."""
Send = Callable[[bytes], Answer]
"""Sends the body of a request to the endpoint."""
Carry = Callable[[bytes, Send], Answer]
"""Sends the program's body, perhaps in other words and several times; returns the answer for the program."""


class Limits(Value):
    """Limits per process, except for `processes`; None: no limit."""

    memory_gb: float | None = Field(default=8, gt=0)
    """Memory for data: heap and private mappings."""
    processes: int = Field(default=1024, ge=1)
    """Processes and threads of the whole sandbox."""
    open_files: int = Field(default=4096, ge=16)
    file_gb: float | None = Field(default=4, gt=0)
    """Size of one file."""
    scratch_gb: float = Field(default=4, gt=0)
    """Size of `/tmp`, and of shared memory, both in memory; only in a sandbox with namespaces."""


class Upstream(Value):
    """A permitted endpoint. The program gets an address of this machine and a token instead of the key."""

    base_url: str
    key: SecretStr | None = None
    timeout_s: float = 600
    carry: Carry | None = Field(default=None, exclude=True, repr=False)
    """Puts requests into words that the endpoint understands; None sends them as they are."""


class Job(Value):
    """A program and its limits."""

    command: tuple[str, ...]
    folder: Path
    """The only folder that it may write to, and its working directory; it has the same path inside."""
    reads: tuple[Path, ...] = ()
    """Paths that it may read in addition to system libraries, the command's interpreters, and `folder`."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables, in addition to `PATH`, `HOME` and those that every program needs; `{agent}` in a value is the address
    of the upstream of that name, `{token}` the token for all endpoints."""
    upstreams: dict[str, Upstream] = Field(default_factory=dict)
    listens: int | None = None
    """A port of this machine's loopback interface on which it listens."""
    gpus: bool = False
    """Whether it sees the GPUs of the machine."""
    parallel: bool = False
    """Whether its processes share memory."""
    clustered: bool = False
    """Whether its processes communicate by TCP, which opens the machine's network to it without a separate one."""
    limits: Limits = Limits()
