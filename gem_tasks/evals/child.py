"""A harness as a child process: events as JSON lines on its stdout, everything else in a log file.

The child gets none of our settings and no key but the one it needs; keys go through its environment, where other users
of the machine cannot read them, never through arguments or files. It is the head of a process group, so a time-out or
Ctrl-C ends what it started too.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gem_tasks.domain.base import Json
from gem_tasks.errors import GemError, UserError
from gem_tasks.proxies import for_programs
from gem_tasks.redaction import ending

_OURS = ("GEM_", "AIRFLOW", "OPENAI_", "AWS_", "VIRTUAL_ENV", "PYTHON", "INSPECT_")
_TAIL = 12
"""Lines of the log in an error."""


class HarnessError(GemError):
    """A harness ended with an error of its own."""


def events(
    command: Sequence[str], secrets: Mapping[str, str], log: Path, timeout_s: float, urls: Sequence[str] = ()
) -> Iterator[Json]:
    """What the child says, as it says it.

    Args:
        command: the program and its arguments; no shell.
        secrets: variables that only the child gets; their values are blotted out of errors.
        log: gets the child's stderr, and whatever of stdout is no event.
        timeout_s: after which the child is ended.
        urls: all that it talks to, if that is known: see `for_programs`.

    Raises:
        UserError: it took too long, or the proxy for a URL cannot be used.
        HarnessError: it ended with an error; the end of its log is in the message.
    """
    clean = for_programs({name: value for name, value in os.environ.items() if not name.startswith(_OURS)}, *urls)
    log.parent.mkdir(parents=True, exist_ok=True)
    late = threading.Event()
    with log.open("a", encoding="utf-8") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            env={**clean, **secrets, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sink,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        timer = threading.Timer(timeout_s, lambda: (late.set(), _end(process)))
        timer.start()
        try:
            yield from _read(process, log)
            code = process.wait()
        finally:
            timer.cancel()
            _end(process)
            process.wait()
    if late.is_set():
        raise UserError(f"The harness did not end within {timeout_s:.0f} s", "Run it again: it goes on where it was.")
    if code:
        raise HarnessError(f"the harness ended with code {code}; {log} ends:\n{_tail(log, secrets)}")


def _read(process: subprocess.Popen[str], log: Path) -> Iterator[Json]:
    assert process.stdout  # noqa: S101 - a pipe
    with process.stdout, log.open("a", encoding="utf-8") as sink:
        for line in process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if isinstance(event, dict) and "event" in event:
                yield event  # pyright: ignore[reportUnknownVariableType]
            else:
                sink.write(line)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _tail(log: Path, secrets: Mapping[str, str]) -> str:
    text = ending("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:]), 2000)
    for secret in filter(lambda value: len(value) > 5, secrets.values()):
        text = text.replace(secret, "***")
    return text
