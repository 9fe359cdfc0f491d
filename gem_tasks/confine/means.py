"""Tests, by one trial, how far this machine can confine a program."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from gem_tasks.confine import inside
from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.base import Value
from gem_tasks.errors import UserError

UID = 64999
"""The user id of confined programs if GEM runs as root: unused otherwise, and without rights."""
_TRY_S = 20
_LANDLOCK_TCP, _LANDLOCK_SCOPES = 4, 6
_FIX = "Install bubblewrap (apt-get install bubblewrap) and allow namespaces, or set GEM_SANDBOX=auto."

Kind = Literal["namespaces", "landlock", "nothing"]


class Means(Value):
    """How this machine confines a program."""

    kind: Kind
    bubblewrap: tuple[str, ...] = ()
    """The command line that starts the program."""
    own_user: bool = False
    """Whether the program runs as a separate user."""
    closes_network: bool = False
    lost: tuple[str, ...] = ()
    """Protections of a full sandbox that this one lacks."""

    @property
    def summary(self) -> str:
        """One line for people: the means, and what it does not confine."""
        how = {"namespaces": "bubblewrap", "landlock": "Landlock", "nothing": "limits only"}[self.kind]
        return (
            f"{how}; not confined: {', '.join(self.lost)}" if self.lost else f"{how}: files, network, processes, limits"
        )


def chosen(mode: SandboxMode, *, clustered: bool = False) -> Means:
    """The best available means, or none if they are switched off.

    Args:
        mode: mode of the deployment.
        clustered: the program's processes talk to each other by TCP.

    Raises:
        UserError: the deployment requires more than the machine allows.
    """
    found = _limits_only() if mode == "off" else best()
    closed = found.closes_network and (found.kind == "namespaces" or not clustered)
    if mode == "require" and not closed:
        raise UserError(
            f"GEM_SANDBOX=require, but this machine cannot confine third-party programs: {found.summary}", _FIX
        )
    return found


@cache
def best() -> Means:
    """The best available means; tested once per process."""
    program = shutil.which("bwrap")
    for begin in _beginnings() if program else ():
        if program and _works((program, *begin)):
            root = "--cap-add" in begin
            lost = () if "--proc" in begin else ("a separate /proc: it has none",)
            return Means(
                kind="namespaces",
                bubblewrap=(program, *begin),
                own_user=root,
                closes_network=True,
                lost=lost if root or os.geteuid() else (*lost, "a separate user"),
            )
    version = inside.abi() if sys.platform == "linux" else 0
    return _landlock(version) if version else _limits_only()


def _landlock(version: int) -> Means:
    lost = ["a separate user", "separate processes and /proc", "separate shared memory"]
    if version < _LANDLOCK_SCOPES:
        lost.append("signals to GEM's processes")
    if version < _LANDLOCK_TCP:
        lost.append("the network: TCP to any host stays open")
    return Means(kind="landlock", closes_network=version >= _LANDLOCK_TCP, lost=tuple(lost))


def _limits_only() -> Means:
    lost = ("files: it can read what GEM can read", "the network: it reaches what GEM reaches", "a separate user")
    return Means(kind="nothing", lost=lost)


def _beginnings() -> list[tuple[str, ...]]:
    """From best to weakest. Root mounts as itself and then switches user; other users need a user namespace."""
    root = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    user = ("--unshare-user", "--disable-userns", "--uid", str(UID), "--gid", str(UID))
    old = ("--unshare-user", "--uid", str(UID), "--gid", str(UID))
    proc, none = ("--proc", "/proc"), ("--tmpfs", "/proc")
    ways = [root, user, old] if os.geteuid() == 0 else [user, old]
    return [(*way, *end) for end in (proc, none) for way in ways]


def _works(begin: tuple[str, ...]) -> bool:
    python = os.path.realpath(sys.executable)
    code = "import os, sys; u = int(sys.argv[1]); u and (os.setgroups([]), os.setgid(u), os.setuid(u))"
    as_user = str(UID if "--cap-add" in begin else 0)
    whole = [*begin, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--ro-bind", "/", "/", "--dev", "/dev"]
    # The file system of the trial would hide an earlier mount of /proc, so /proc is mounted afterwards.
    proc = whole.index("--proc") if "--proc" in whole else whole.index("--tmpfs")
    whole = [*whole[:proc], *whole[proc + 2 :], *whole[proc : proc + 2]]
    try:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [*whole, "--", python, "-I", "-S", "-c", code, as_user], capture_output=True, timeout=_TRY_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def readable_by_sandbox(path: Path, means: Means) -> bool:
    """Whether a program of another user can read the file, or the folder's files; it needs no bytecode of theirs."""
    if not means.own_user or not path.exists():
        return True
    # GEM's commands write with a private umask, and so does the interpreter below their sources.
    found = [path] if path.is_file() else [path, *(each for each in path.iterdir() if each.name != "__pycache__")]
    return all(_readable(each.stat(), each.is_dir()) for each in found)


def _readable(found: os.stat_result, folder: bool) -> bool:
    wanted = 0o005 if folder else 0o004
    return found.st_uid == UID or found.st_mode & wanted == wanted
