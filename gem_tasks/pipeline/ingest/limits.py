"""CPU time and memory that one document may cost a process that reads or prepares foreign files.

Each has two limits. At the first, Python raises an exception and the process continues with the next document; at the
second, the system kills a process that is stuck in a library's code, and the parent sees why.
"""

import os
import resource
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

CPU_S = 9
"""Seconds per document. A document that was killed is tried once more alone, so it takes up to 20 seconds."""
CONVERSION_CPU_S, CONVERSION_BYTES = 90, 400 << 20
"""The same for a file with pages, slides or sheets: a manual of a thousand pages takes 20 s."""
_GRACE_S = 1
MEMORY_BYTES = 152 << 20
"""Bytes on top of what the process takes without any document, which is 80 MB to read and 165 MB to prepare. Including
the task, all processes stay below 512 MB."""
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the other allocators reserve addresses by the gigabyte
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
}
KILLED = frozenset({-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV})


class TooExpensiveError(BaseException):
    """A document exceeds its CPU time. Not an `Exception`, so that no library catches it."""


def limit_memory(more: int = MEMORY_BYTES) -> None:
    """Limits the bytes that this process may still allocate. Without /proc (not Linux) there is no limit."""
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + more
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def limited_cpu(seconds: int = CPU_S) -> Generator[None]:
    """Limits the CPU time of one document; call it in the main thread.

    Raises:
        TooExpensiveError: the document exceeds it.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    killed_at = int(used.ru_utime + used.ru_stime) + seconds + _GRACE_S
    resource.setrlimit(resource.RLIMIT_CPU, (killed_at, hard))
    before = signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _out_of_time(*_: object) -> None:
    raise TooExpensiveError
