"""What conversations of any shape cost at n, 2n and 4n characters: `python -m tests.patterns.growth [SHAPE] [n]`."""

import resource
import signal
import sys
import time

from gem_tasks.checks import CHECKS
from gem_tasks.checks.fidelity import traces
from gem_tasks.checks.reading.case import Case
from gem_tasks.dataset.privacy import scrub
from tests.patterns.shapes import SHAPES

_PATIENCE_S = 60


def main():
    names = [each for each in sys.argv[1:] if not each.isdecimal()] or list(SHAPES)
    size = next((int(each) for each in sys.argv[1:] if each.isdecimal()), 64_000)
    signal.signal(signal.SIGALRM, give_up)
    for name in names:
        costs = [cost(SHAPES[name], size * times) for times in (1, 2, 4)]
        slow = ", ".join(
            f"{what} {' '.join(f'{each.get(what, -1):.2f}' for each in costs)}"
            for what in costs[-1]
            if costs[-1][what] > 0.5
        )
        print(f"{name:22} {' '.join(f'{sum(each.values()):7.2f}' for each in costs)} s  {slow}", flush=True)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


def cost(shape, size):
    """CPU seconds of each check."""
    trajectory, evidence = shape(size)
    found, case = {}, Case(trajectory, evidence)
    for what, run in {
        **{each: lambda check=check: list(check(case)) for each, check in CHECKS.items()},
        "traces": lambda: traces(evidence, case.system),
        "privacy": lambda: scrub(trajectory, evidence.text, "en"),
    }.items():
        begun = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, _PATIENCE_S)
        signal.signal(signal.SIGVTALRM, give_up)
        try:
            run()
        except TimeoutError:
            pass
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        found[what] = time.process_time() - begun
    return found


def give_up(*_):
    raise TimeoutError


main()
