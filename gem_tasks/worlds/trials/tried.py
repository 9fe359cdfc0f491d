"""All trials of a world."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.workflow import Workflow
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.session import opened
from gem_tasks.worlds.trials.bench import Bench, Tried
from gem_tasks.worlds.trials.beyond import beyond
from gem_tasks.worlds.trials.data import below, keys_of, poor, taken
from gem_tasks.worlds.trials.failure import MOST_SLOW, SLOW, Failure, report
from gem_tasks.worlds.trials.fixed import fixed, special
from gem_tasks.worlds.trials.odd import odd, others, unknown
from gem_tasks.worlds.trials.order import unordered
from gem_tasks.worlds.trials.runs import Way, completed, played

_PER_TOOL = 3
"""Successful calls of a tool that are varied."""
_MOST_FAILURES = 40
_STARTS = 3
"""A child that ends while it loads the code may have been ended by a machine under load."""
Results = Iterator[Failure | None]
"""Of one kind of trial; None: passed."""


def tried(built: Built, workflow: Workflow, *, mode: SandboxMode = "auto") -> Built | str:
    """Runs a world's code in many ways, in a confined child; takes about 2 s.

    Args:
        built: what the model wrote.
        workflow: what its tools serve.
        mode: strictness of the sandbox.

    Returns:
        The world with the number of trials that it passed, by kind; or the report for its writer. Each line of the
        report begins with a reason: see `trials.failure`.
    """
    found = examined(built, workflow, mode=mode)
    return report(found) if isinstance(found, list) else built.model_copy(update={"trials": dict(found)})


def examined(built: Built, workflow: Workflow, *, mode: SandboxMode = "auto") -> "Counter[str] | list[Failure]":
    """The same: numbers of passed trials by kind, or all failures."""
    refused: list[Failure] = []
    for _ in range(_STARTS):
        try:
            with opened(built.world, mode=mode) as session:
                return _all(Bench(built.world, session), built, workflow)
        except RefusedWorldError as error:
            refused = [Failure("not_loaded", "", ": ".join(map(str, error.args)))]
            if error.args[0] != "crashed":
                break
    return refused


def _all(bench: Bench, built: Built, workflow: Workflow) -> "Counter[str] | list[Failure]":
    way = completed(bench, built, workflow)
    good, failures, passed = list(way.good.values()), list(way.failures), Counter[str](calls=len(way.good))
    kinds: dict[str, Results] = {
        "orders": unordered(bench, built.run, way, workflow.requires),
        "changes": _changes(bench, good),
        "limits": _limits(bench, _some(good)),
        "unknown": _unknown(bench, _some(good)),
        "odd": _odd(bench, _some(good)),
        "others": _others(bench, _some(good)),
        "repeated": _repeated(bench, good),
        "state": fixed(bench, good),
        "literals": special(bench, built, workflow, good),
        "records": poor(bench),
        "ids": chain(taken(bench), below(bench.world.ids, keys_of(bench))),
        "replays": _replayed(bench, built, way),
    }
    for kind, results in kinds.items():
        for result in results:
            if result is None:
                passed[kind] += 1
            else:
                failures.append(result)
            if len(failures) >= _MOST_FAILURES or sum(each.reason in SLOW for each in failures) >= MOST_SLOW:
                return failures
    return failures or passed + Counter(errors=len(bench.errors))


def _some(good: Sequence[Tried]) -> list[Tried]:
    seen = Counter[str]()
    kept: list[Tried] = []
    for each in good:
        seen[each.call.name] += 1
        kept += [each] if seen[each.call.name] <= _PER_TOOL else []
    return kept


def _changes(bench: Bench, good: Sequence[Tried]) -> Results:
    if any(each.changed for each in good):
        yield None
    elif len({each.call.name for each in good}) == len(bench.tools):
        yield Failure("nothing_changes", "", "no successful call of any tool changed a table")


def _limits(bench: Bench, good: Sequence[Tried]) -> Results:
    for each in good:
        for broken in beyond(bench.tools[each.call.name].parameters, each.call.arguments):
            result = bench.call(each.call.name, broken.arguments, each.before)
            if any(finding.reason == "unenforced" for finding in result.answer.findings):
                detail = f"{result.told}: accepted, but {broken.path} has the limit {broken.limit}"
                yield Failure("unenforced", each.call.name, detail)
            else:
                yield result.fault()


def _unknown(bench: Bench, good: Sequence[Tried]) -> Results:
    for each in good:
        for name, arguments in unknown(each.call.arguments, each.before):
            result = bench.call(each.call.name, arguments, each.before)
            changed = result.changed if result.succeeded else []
            if changed and not any(arguments[name] in (each.key or "") for each in changed):
                yield Failure("unknown_accepted", each.call.name, f"{result.answered}, but no record has that {name}")
            else:
                yield result.fault()


def _odd(bench: Bench, good: Sequence[Tried]) -> Results:
    for each in good:
        for arguments in odd(bench.tools[each.call.name].parameters, each.call.arguments):
            yield bench.call(each.call.name, arguments, each.before).fault()


def _others(bench: Bench, good: Sequence[Tried]) -> Results:
    for each in good:
        for arguments in others(each.call.arguments, each.before):
            yield bench.call(each.call.name, arguments, each.before).fault()


def _repeated(bench: Bench, good: Sequence[Tried]) -> Results:
    for each in good:
        if not bench.tools[each.call.name].reads:
            yield bench.call(each.call.name, each.call.arguments, each.after).fault()


def _replayed(bench: Bench, built: Built, way: Way) -> Results:
    again = played(bench, built.run).good
    for number, each in again.items():
        if number in way.good and (way.good[number].result, way.good[number].after) != (each.result, each.after):
            yield Failure("not_repeatable", each.call.name, f"{each.answered}, and before {way.good[number].result}")
        else:
            yield None
