"""What every peer shares: the prompts, the check that each got its answer, and the clock. Standard library only."""

import argparse
import json
import resource
import time
from pathlib import Path

MODEL = "bench"
MAX_TOKENS = 4096
_FILLER = "The committee met in spring and wrote down what it had always thought. "


def options():
    """`--base-url --calls --concurrency --output`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def name(number):
    """What marks a prompt and its answer."""
    return f"ID-{number:09d}"


def prompt(number, size=4096):
    """A prompt of 4 KB."""
    return (name(number) + " " + _FILLER * (size // len(_FILLER) + 1))[:size]


def messages(number):
    """The same as a chat."""
    return [{"role": "user", "content": prompt(number)}]


class Clock:
    """From the first request to the last answer; imports and starting up do not count."""

    def __enter__(self):
        self._started, self._cpu = time.monotonic(), _cpu_s()
        return self

    def __exit__(self, *error):
        self.wall_s, self.cpu_s = time.monotonic() - self._started, _cpu_s() - self._cpu

    def write(self, output, calls, completed):
        """The figures, as JSON."""
        figures = {"calls": calls, "completed": completed, "wall_s": self.wall_s, "cpu_s": self.cpu_s}
        output.write_text(json.dumps(figures | {"peak_mb": _peak_mb()}), encoding="utf-8")


def right(number, text):
    """Whether this is the answer to that prompt."""
    return name(number) in (text or "")


def _cpu_s():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _peak_mb():
    # Not getrusage: what it says survives exec, so it would be the parent's.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
