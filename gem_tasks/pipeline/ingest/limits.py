"""What one document may cost a process that reads or prepares foreign files: CPU time and memory.

Two limits each way: what Python can still report ends in an exception, so that the process goes on with the next
document; what is stuck in a library's own code is killed by the system, and the parent sees why.
"""

import os
import resource
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

CPU_S = 9
"""Of one document. A killed one is tried once more alone, so it takes 20 seconds at most."""
_GRACE_S = 1
MEMORY_BYTES = 152 << 20
"""Beyond what the process takes without any document, which is 80 MB to read and 165 MB to prepare. With the task, all
of them stay below 512 MB."""
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve addresses by the gigabyte
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
}
KILLED = frozenset({-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV})


class TooExpensiveError(BaseException):
    """A document takes more CPU time than one may. No `Exception`, so that no library takes it for its own."""


def limit_memory() -> None:
    """From here on this process may take so much more. Without /proc (not Linux) there is no limit."""
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def limited_cpu() -> Generator[None]:
    """For one document, in a process's main thread.

    Raises:
        TooExpensiveError: it takes too long.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    killed_at = int(used.ru_utime + used.ru_stime) + CPU_S + _GRACE_S
    resource.setrlimit(resource.RLIMIT_CPU, (killed_at, hard))
    before = signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _out_of_time(*_: object) -> None:
    raise TooExpensiveError
