"""What a process and all that it started take."""

import multiprocessing
import os
import resource
import threading
import time
from pathlib import Path
from typing import NamedTuple

EVERY_S = 0.005
WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def cpu_s():
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, WHO))


def apart(work, *args):
    """What a process of its own returns, which begins as this one; None if it died."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = FORK.Process(target=lambda: theirs.send(work(*args)))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        return None
    finally:
        process.join()


FORK = multiprocessing.get_context("fork")


class Watch:
    """Samples the memory of this process and of all that it started.

    Attributes:
        task: bytes that this process had at most.
        child: the same of the largest of the others.
        together: all of them at one moment; what they have of the same files counts once.
    """

    def __init__(self):
        self.task = self.child = self.together = 0
        self._going = True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self):
        self._going = False
        self._thread.join()

    def _watch(self):
        while self._going:
            task, *children = [memory(process) for process in family(os.getpid())]
            self.task = max(self.task, task.peak)
            self.child = max([self.child, *(each.peak for each in children)])
            everyone = [task, *children]
            self.together = max(
                self.together, sum(each.own for each in everyone) + max(each.files for each in everyone)
            )
            time.sleep(EVERY_S)


class Memory(NamedTuple):
    peak: int = 0
    own: int = 0
    files: int = 0


def memory(process):
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").split("\n")
    except OSError:
        return Memory()
    sizes = {
        name: int(value.split()[0]) << 10 for name, _, value in (line.partition(":") for line in lines) if "kB" in value
    }
    return Memory(*(sizes.get(name, 0) for name in ("VmHWM", "RssAnon", "RssFile")))


def family(process):
    try:
        threads = Path(f"/proc/{process}/task").iterdir()
        children = [
            int(each) for thread in threads for each in (thread / "children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return [process]
    return [process, *(each for child in children for each in family(child))]
