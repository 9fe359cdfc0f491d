"""Measures every pattern on a megabyte: `python -m tests.patterns [part of a name] [characters]`."""

import signal
import sys

from tests.patterns.found import Found, patterns
from tests.patterns.measure import LIMIT_S, MEGABYTE, Slow, at_full_length, slowest

_PATIENCE_S = 30
_MOST = 4


def main(part: str, size: int) -> None:
    """Prints a line for each pattern over the limit, and the slowest of the others."""
    signal.signal(signal.SIGALRM, _give_up)
    found = [each for each in patterns() if part in each.where and each.uses]
    rows = sorted(filter(None, (_measured(each, size) for each in found)), reverse=True)
    over = sum(seconds > LIMIT_S for seconds, _ in rows)
    print(f"{len(rows)} patterns, {over} over {LIMIT_S} s at {size} characters; the slowest:")
    for seconds, what in rows[: max(over, 40)]:
        print(f"{seconds:.3f} s {what}")


def _measured(found: Found, size: int) -> tuple[float, str]:
    signal.alarm(_PATIENCE_S)
    try:
        worst = max(_best(found, each, size) for each in slowest(found, _MOST))
    except TimeoutError:
        return float("inf"), f"{found.where}: not done after {_PATIENCE_S} s"
    finally:
        signal.alarm(0)
    return worst.seconds, f"{found.where} {worst.use} of {_shown(worst)}"


def _best(found: Found, slow: Slow, size: int) -> Slow:
    """Of two runs, as what else runs here can only add to it."""
    return min(at_full_length(found, slow, size) for _ in range(2))


def _shown(slow: Slow) -> str:
    return f"{slow.text.head[:20]!r} {slow.text.piece[:20]!r}… {slow.text.end!r}"


def _give_up(*_: object) -> None:
    raise TimeoutError


_words = [each for each in sys.argv[1:] if not each.isdecimal()]
_sizes = [int(each) for each in sys.argv[1:] if each.isdecimal()]
main(_words[0] if _words else "", _sizes[0] if _sizes else MEGABYTE)
