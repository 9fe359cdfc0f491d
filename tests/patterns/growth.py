"""What conversations of any shape cost at n, 2n and 4n characters: `python -m tests.patterns.growth [SHAPE …] [n]`.

CPU seconds of all checks, of the traces to the text, and of the removal of personal data; what is refused as too large
says so. With 250000 characters and more the last conversation is as long as an answer may be.
"""

import resource
import sys
import time

from gem_tasks.checks import run_checks
from gem_tasks.checks.fidelity import traces
from gem_tasks.dataset.privacy import scrub
from tests.patterns.shapes import SHAPES


def main():
    names = [each for each in sys.argv[1:] if each in SHAPES] or list(SHAPES)
    size = next((int(each) for each in sys.argv[1:] if each.isdecimal()), 20_000)
    for name in names:
        print(f"{name:22} {'   '.join(cost(SHAPES[name], size * times) for times in (1, 2, 4))}", flush=True)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


def cost(shape, size):
    """Seconds for the checks and for the rest, and whether it was too much."""
    trajectory, evidence = shape(size)
    begun = time.process_time()
    found = run_checks(trajectory, evidence)
    checked = time.process_time()
    if found and found[-1].kind == "too_much":
        return f"{checked - begun:6.2f} s too_much"
    first = trajectory.messages[0]
    traces(evidence, (first.content or "") if first.role == "system" else "")
    scrub(trajectory, evidence.text, "en")
    return f"{checked - begun:6.2f} + {time.process_time() - checked:4.2f} s"


main()
