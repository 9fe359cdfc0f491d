"""The first program in a sandbox: drops its own rights, then runs the confined program.

    python -I -S inside.py SPECIFICATION          JSON; no secrets, as all users see arguments

Standard library only: it runs before, and without, any code of GEM. Its children inherit the bounds that it sets:
limits, a separate user, Landlock's rules (files, TCP ports, signals), and a filter that permits only TCP and Unix
sockets. In a separate network it forwards bytes between a port inside and a Unix socket outside.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import pathlib
import platform
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CHUNK = 1 << 16
_CHILDREN = "/proc/self/task/{}/children"
_ROUNDS, _ROUND_S = 200, 0.01
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_EXECUTE, _READ, _LIST = 1 << 0, 1 << 2, 1 << 3
_FILE_ONLY = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
"""Rights that a file can have: execute, write, read, truncate, ioctl."""
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_SYSCALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Audit's number of the architecture, and of `socket` there."""
_X32, _IO_URING = 0x40000000, 425
"""Other ways to a socket: the calls of x32, and rings, which work without calls."""


def main(specification: dict[str, Any]) -> int:
    """Runs the command of the specification; returns its exit code."""
    if not specification["own_processes"]:
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
        die_with_parent()
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    die_first()
    limit(specification["limits"])
    if specification["uid"] is not None:
        become(specification["uid"])
    if specification["landlock"]:
        landlock(**specification["landlock"])
        only_streams()
    return asyncio.run(run(specification))


async def run(specification: dict[str, Any]) -> int:
    """Forwards connections until the command exits; returns its exit code."""
    servers = [await _outward(port, path) for port, path in specification["outward"]]
    servers += [await _inward(number, port) for number, port in specification["inward"]]
    child = await asyncio.create_subprocess_exec(*specification["command"], preexec_fn=die_with_parent)
    code = await child.wait()
    for server in servers:
        server.close()
    if not specification["own_processes"]:
        end_orphans()
    return code if code >= 0 else 128 - code


async def _outward(port: int, path: str) -> asyncio.Server:
    return await tcp_server(port, lambda: asyncio.open_unix_connection(path))


async def _inward(number: int, port: int) -> asyncio.Server:
    """Serves on an inherited listening socket."""
    reach = carrier(lambda: asyncio.open_connection("127.0.0.1", port))
    return await asyncio.start_unix_server(reach, sock=socket.socket(fileno=number))


def die_with_parent() -> None:
    """Lets the kernel kill this process when its parent dies, even by kill -9."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def die_first() -> None:
    """Lets the kernel choose this program and its children if the machine runs out of memory, not GEM or Postgres."""
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def end_orphans() -> None:
    """Ends all processes that the command left behind and this process adopted, including those started meanwhile."""
    for _ in range(_ROUNDS):
        with (
            contextlib.suppress(OSError, ValueError),
            pathlib.Path(_CHILDREN.format(os.getpid())).open(encoding="ascii") as file,
        ):
            for each in file.read().split():
                os.kill(int(each), signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(_ROUND_S)


def limit(bounds: dict[str, int]) -> None:
    """Sets resource limits of this process and its children; keeps tighter limits of the machine."""
    for name, value in {**bounds, "CORE": 0}.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def become(uid: int) -> None:
    """Switches permanently to another user, without groups and capabilities."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def prctl(option: int, value: object, *more: object) -> None:
    """Calls `prctl` of the C library.

    Raises:
        OSError: the kernel refuses.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, *(more or (0,)), 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def abi() -> int:
    """Landlock's version in this kernel; 0: none."""
    found = ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(found, 0)


def landlock(
    reads: Sequence[str], writes: Sequence[str], connects: Sequence[int], binds: Sequence[int], any_tcp: bool
) -> None:
    """Permits only these files and folders and these TCP ports, and no signals or abstract sockets outside.

    Raises:
        OSError: the kernel refuses.
    """
    version, libc = abi(), ctypes.CDLL(None, use_errno=True)
    handled = (1 << 13) - 1
    handled |= _REFER if version >= 2 else 0
    handled |= _TRUNCATE if version >= 3 else 0
    handled |= _IOCTL if version >= 5 else 0
    net, scoped = 3 if version >= 4 and not any_tcp else 0, 3 if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8  # of the structure that the version knows
    attributes = struct.pack("=QQQ", handled, net, scoped)[:size]
    rules = libc.syscall(_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if rules < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    for paths, rights in ((reads, _EXECUTE | _READ | _LIST), (writes, handled)):
        for path in paths:
            _allow(libc, rules, path, rights & handled)
    for ports, right in ((connects, 2), (binds, 1)):
        for port in ports if net else ():
            libc.syscall(_ADD, rules, 2, struct.pack("=QQ", right, port), 0)
    if libc.syscall(_RESTRICT, rules, 0):
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not pathlib.Path(path).is_dir():
        rights &= _FILE_ONLY
    libc.syscall(_ADD, rules, 1, struct.pack("=Qi", rights, found), 0)
    os.close(found)


def only_streams() -> None:
    """Installs a seccomp filter that permits only Unix and TCP sockets. Landlock cannot restrict UDP."""
    if platform.machine() not in _SYSCALLS:
        return
    arch, nr = _SYSCALLS[platform.machine()]
    load, equal, least, masked, ret = 0x20, 0x15, 0x35, 0x54, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050000 | 1, 0x80000000
    code = [  # operation, steps to skip if so, if not, operand
        (load, 0, 0, 4), (equal, 1, 0, arch), (ret, 0, 0, kill),
        (load, 0, 0, 0), (least, 12, 0, _X32), (equal, 11, 0, _IO_URING), (equal, 1, 0, nr), (ret, 0, 0, allow),
        (load, 0, 0, 16), (equal, 6, 0, 1), (equal, 5, 0, 16), (equal, 1, 0, 2), (equal, 0, 4, 10),  # Unix, netlink, IP
        (load, 0, 0, 24), (masked, 0, 0, 0xF), (equal, 0, 1, 1), (ret, 0, 0, allow), (ret, 0, 0, refuse),
    ]  # fmt: skip
    packed = b"".join(struct.pack("=HBBI", *each) for each in code)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(buffer)))
    prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program))


async def tcp_server(port: int, reach: Callable[[], Awaitable[Streams]]) -> asyncio.Server:
    """Forwards connections to the port of the loopback interface."""
    return await asyncio.start_server(carrier(reach), "127.0.0.1", port)


def carrier(
    reach: Callable[[], Awaitable[Streams]],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Copies bytes both ways between the two connections."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await reach()
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pour(reader, other_writer), _pour(other_reader, writer))
        for each in (writer, other_writer):
            each.close()

    return carry


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
