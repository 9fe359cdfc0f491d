"""Conditions over the log of calls.

Steps hold no words, so consent is read from their order. A call is **confirmed** if the last message of the user before
it is not the first one, and if before that message a successful call had the call's target in its arguments or result:
the assistant had looked, had said something, and the user answered. What the user said is for a reader to judge. The
target are the texts among the arguments that are keys of records of the first state, also in the changes between the
user's answer and the call, which prepare it: a line in a journal, before the journal is posted. Without any, as for
what was just created, any successful call will do.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from gem_tasks.worlds.goals.resolved import each_text
from gem_tasks.worlds.goals.run import Run, carried_out, refused
from gem_tasks.worlds.scenario import Scenario, contains
from gem_tasks.worlds.steps import Call, Turn
from gem_tasks.worlds.task import Condition


def broken(conditions: Sequence[Condition], run: Run, scenario: Scenario) -> Iterator[str]:
    """Conditions that the run breaks, in words. Calls that had no effect count as if they had not been made."""
    for condition in conditions:
        yield from _BROKEN[condition.kind](condition, run, matching(condition, run, scenario))


def matching(condition: Condition, run: Run, scenario: Scenario) -> list[int]:
    """Positions of the calls that the condition is about."""
    return [
        at
        for at, (step, answer) in enumerate(zip(run.steps, run.answers, strict=True))
        if isinstance(step, Call)
        and step.name == condition.tool
        and contains(step.arguments, condition.arguments)
        and carried_out(step, answer, scenario)
    ]


def _unconfirmed(condition: Condition, run: Run, found: list[int]) -> Iterator[str]:
    for at in found:
        turns = [turn for turn in range(at) if isinstance(run.steps[turn], Turn)]
        prepared = [step for step in range(turns[-1] if turns else 0, at) if set(run.answers[step].changed) - {"now"}]
        targets = frozenset[str]().union(*(_targets(run, step) for step in (*prepared, at)))
        if len(turns) < 2 or not any(_shows(run, call, targets) for call in range(turns[-1])):
            of = f" of {', '.join(sorted(targets))}" if targets else ""
            yield f"{condition.tool}{of} was called before the user had answered to what the assistant had looked up"


def _targets(run: Run, at: int) -> frozenset[str]:
    keys = {key for text in run.first.tables.values() for key in _keys(json.loads(text))}
    step, found = run.steps[at], set[str]()

    def note(text: str) -> str:
        found.add(text)
        return text

    each_text(step.arguments if isinstance(step, Call) else {}, note)
    return frozenset(found & keys)


def _keys(table: Any) -> list[str]:
    return list(table) if isinstance(table, dict) else []  # pyright: ignore[reportUnknownArgumentType]


def _shows(run: Run, at: int, targets: frozenset[str]) -> bool:
    step, answer = run.steps[at], run.answers[at]
    if not isinstance(step, Call) or refused(answer):
        return False
    told = f"{json.dumps(step.arguments, ensure_ascii=False)} {json.dumps(answer.result, ensure_ascii=False)}"
    return not targets or any(json.dumps(target, ensure_ascii=False)[1:-1] in told for target in targets)


def _too_early(condition: Condition, run: Run, found: list[int]) -> Iterator[str]:
    done = (
        at
        for at, (step, answer) in enumerate(zip(run.steps, run.answers, strict=True))
        if isinstance(step, Call) and step.name == condition.other and not refused(answer)
    )
    if found and found[0] < next(done, len(run.steps)):
        yield f"{condition.tool} was called before {condition.other} had succeeded"


def _called(condition: Condition, _run: Run, found: list[int]) -> Iterator[str]:
    if found:
        yield f"{condition.tool} was called{_with(condition)}, and must not be"


def _too_often(condition: Condition, _run: Run, found: list[int]) -> Iterator[str]:
    if len(found) > condition.count:
        often = f"{len(found)} times, and at most {condition.count} are right"
        yield f"{condition.tool} was called{_with(condition)} {often}"


def _with(condition: Condition) -> str:
    return f" with {json.dumps(condition.arguments, ensure_ascii=False)}" if condition.arguments else ""


_BROKEN = {"confirmed": _unconfirmed, "after": _too_early, "never": _called, "at_most": _too_often}
