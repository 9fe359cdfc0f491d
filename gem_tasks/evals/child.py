"""A harness as a confined child process: events as JSON lines on its stdout, everything else in a log file.

It runs like all third-party programs in `gem_tasks.confine`: without GEM's environment and keys, in its own folder,
with no network but the endpoints of its job. The model under test may have controlled the program, so GEM checks the
files that it left before reading them.
"""

import json
import os
import subprocess
import threading
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from gem_tasks.confine.job import Job, SandboxMode
from gem_tasks.confine.launch import end, started
from gem_tasks.confine.results import TamperedError, require_plain
from gem_tasks.domain.base import Json
from gem_tasks.errors import GemError, UserError
from gem_tasks.redaction import ending

_TAIL = 12
"""Lines of the log in an error."""
_TAIL_BYTES = 1 << 16
_PLAN = TypeAdapter(dict[str, list[str]])
_LINE = 1 << 20
"""Maximum bytes of an event."""


class HarnessError(GemError):
    """A harness exited with an error."""


def events(job: Job, log: Path, timeout_s: float, mode: SandboxMode = "auto") -> Iterator[Json]:
    """Yields the child's events as they arrive.

    Args:
        job: the program to run, and its limits.
        log: receives the child's stderr, and all lines of stdout that are not events.
        timeout_s: seconds after which GEM kills the child.
        mode: strictness of the confinement.

    Raises:
        UserError: it took too long, or the machine cannot provide the required confinement.
        HarnessError: it exited with an error (the message quotes the end of its log), or left links in its folder.
    """
    late = threading.Event()
    with _opened(log) as sink:
        with started(job, mode, stdout=subprocess.PIPE, stderr=sink) as process:
            timer = threading.Timer(timeout_s, lambda: (late.set(), end(process)))
            timer.start()
            try:
                yield from _read(process, sink)
                code = process.wait()
            finally:
                timer.cancel()
        require_plain(job.folder)  # no process is left that could change it
        if late.is_set():
            raise UserError(f"The harness did not finish within {timeout_s:.0f} s", "Run it again: it resumes.")
        if code:
            raise HarnessError(f"the harness exited with code {code}; the end of {log}:\n{_tail(sink)}")


def planned(ids: object, known: Collection[str]) -> dict[str, list[str]]:
    """Cases by category, as the harness announces them.

    Args:
        ids: the harness's message.
        known: the requested categories; their names become parts of paths.

    Raises:
        HarnessError: it names other categories, or the message is invalid.
    """
    try:
        found = _PLAN.validate_python(ids, strict=True)
    except ValidationError:
        raise HarnessError("the harness did not report which cases it runs") from None
    if set(found) - set(known):
        raise HarnessError("the harness runs cases that were not requested")
    return found


@contextmanager
def reading(folder: Path, most_file_bytes: int) -> Generator[None]:
    """Reads a harness's results: any fault in them becomes a `HarnessError`.

    Raises:
        HarnessError: there are links or too large files, or a file read in the block is invalid.
    """
    require_plain(folder, most_file_bytes)
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise HarnessError(f"the harness's results in {folder} cannot be read: {type(error).__name__}") from error


@contextmanager
def _opened(log: Path) -> Generator[IO[bytes]]:
    """Opens the log, which is in the child's folder, without following links."""
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        number = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise TamperedError(f"{log} cannot be written: {error.strerror}") from error
    with os.fdopen(number, "rb+", buffering=0) as sink:
        yield sink


def _read(process: "subprocess.Popen[bytes]", sink: IO[bytes]) -> Iterator[Json]:
    assert process.stdout  # noqa: S101 - a pipe
    while line := process.stdout.readline(_LINE):
        event = _event(line)
        if event is None:
            sink.write(line)
        else:
            yield event


def _event(line: bytes) -> Json | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "event" in found else None  # pyright: ignore[reportUnknownVariableType]


def _tail(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _TAIL_BYTES))
    return ending("\n".join(log.read().decode("utf-8", "replace").splitlines()[-_TAIL:]), 2000)
