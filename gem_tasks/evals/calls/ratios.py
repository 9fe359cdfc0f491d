"""The figures of a run, each a share of turns. Pure.

The main one is `action`: of the turns at which the reference or the model calls, the share in which both make the same
calls. Every constant answer has nearly 0 %, and turns at which both speak cannot raise it.
"""

from collections.abc import Callable
from typing import NamedTuple

from gem_tasks.domain.evaluation import OVERALL
from gem_tasks.evals.calls.attempts import Attempt
from gem_tasks.evals.calls.kinds import CALLING, SPEAKING, Kind

ACTION = "action"
CALL, SPEAK = "call", "speak"
"""Categories of all turns in which the reference calls, or speaks."""
Test = Callable[[Attempt], bool]


class Ratio(NamedTuple):
    """Of some turns, the share for which something holds."""

    category: str
    metric: str
    of: Test
    holds: Test

    def both(self, each: Attempt) -> bool:
        """Whether a turn counts, and it holds."""
        return self.of(each) and self.holds(each)


def _called(each: Attempt) -> bool:
    return each.called


def _functions(each: Attempt) -> bool:
    return each.functions


def _exact(each: Attempt) -> bool:
    return each.exact


def _equal(each: Attempt) -> bool:
    return each.equal


def _spoke(each: Attempt) -> bool:
    return each.spoke


def _either_calls(each: Attempt) -> bool:
    return each.calling or not each.spoke


def _both_call(each: Attempt) -> bool:
    return each.calling and bool(each.calls)


def _as_parallel(each: Attempt) -> bool:
    return (len(each.calls) > 1) == (each.category == "parallel")


def _same_kind(each: Attempt) -> bool:
    return each.kind == each.category


def _in(*kinds: Kind) -> Test:
    def test(each: Attempt) -> bool:
        return each.category in kinds

    return test


def _of_calls(category: str, *kinds: Kind) -> tuple[Ratio, ...]:
    return (
        Ratio(category, "called", _in(*kinds), _called),
        Ratio(category, "functions", _in(*kinds), _functions),
        Ratio(category, "exact", _in(*kinds), _exact),
        Ratio(category, "equal", _in(*kinds), _equal),
    )


def _of_words(kind: Kind) -> tuple[Ratio, ...]:
    return Ratio(kind, "spoke", _in(kind), _spoke), Ratio(kind, "kind", _in(kind), _same_kind)


CALLED = Ratio(CALL, "called", _in(*CALLING), _called)
CALLED_INSTEAD = Ratio(SPEAK, "called", _in(*SPEAKING), _called)
"""Of the turns at which the reference speaks, those at which the model calls; only part of another figure."""
RATIOS: tuple[Ratio, ...] = (
    Ratio(OVERALL, ACTION, _either_calls, _equal),
    CALLED,
    *_of_calls(CALL, *CALLING)[1:],
    Ratio(CALL, "arguments", _functions, _equal),
    Ratio(CALL, "parallel", _both_call, _as_parallel),
    *_of_calls("single", "single"),
    *_of_calls("parallel", "parallel"),
    Ratio(SPEAK, "spoke", _in(*SPEAKING), _spoke),
    *_of_words("ask"),
    *_of_words("refuse"),
    *_of_words("report"),
)
"""`arguments`: of the turns with the right functions, those with the right arguments. `parallel`: of the turns at which
both call, those at which both make one call, or both several. `kind`: words of the reference's kind, which is guessed.
"""
