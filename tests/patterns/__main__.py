"""Measures every pattern on a megabyte: `python -m tests.patterns [characters]`."""

import sys

from tests.patterns.found import patterns
from tests.patterns.hard import hard, scan

_SAMPLE = 64 << 10
_LIMIT_S = 0.1


def main(size: int) -> None:
    """The strings that take longest at 64 KB are tried at full length."""
    rows: list[tuple[float, str]] = []
    for found in patterns():
        worst = (0.0, "", 0)
        for use in found.uses:
            for number, text in enumerate(hard(found.pattern, _SAMPLE)):
                if number % 5 == 0:
                    worst = max(worst, (scan(found.pattern, use, text), use, number))
        if worst[1]:
            text = next(text for number, text in enumerate(hard(found.pattern, size)) if number == worst[2])
            seconds = min(scan(found.pattern, worst[1], text) for _ in range(2))
            rows.append((seconds, f"{found.where} {worst[1]} {text[:30]!r}"))
    rows.sort(reverse=True)
    over = sum(seconds > _LIMIT_S for seconds, _ in rows)
    print(f"{len(rows)} patterns, {over} over {_LIMIT_S} s at {size} characters; the slowest:")
    for seconds, what in rows[:40]:
        print(f"{seconds:.3f} s {what}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 1 << 20)
