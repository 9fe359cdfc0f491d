"""A way through the world in which every tool succeeds: the writer's own, or calls found by search."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import Workflow
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.steps import Call, Snapshot
from gem_tasks.worlds.trials.bench import Bench, Tried
from gem_tasks.worlds.trials.failure import MOST_SLOW, SLOW, Failure
from gem_tasks.worlds.trials.paths import resolved
from gem_tasks.worlds.trials.search import found


class Way(NamedTuple):
    """Calls by their number in the run, from 1, that succeeded; and what did not."""

    good: Mapping[int, Tried]
    failures: Sequence[Failure]

    @property
    def end(self) -> Tried | None:
        """The last one."""
        return self.good[max(self.good)] if self.good else None


def played(bench: Bench, run: Sequence[Call], without: str = "", known: Mapping[int, Json] | None = None) -> Way:
    """Plays a run from the first state.

    Args:
        bench: the world.
        run: calls with paths into results.
        without: a tool whose calls are left out.
        known: results that stand for those of calls left out.
    """
    results, good, failures, at = dict(known or {}), dict[int, Tried](), list[Failure](), bench.first
    for number, call in enumerate(run, 1):
        if call.name == without:
            continue
        try:
            arguments = resolved(call.arguments, results)
        except LookupError as error:
            if not failures:  # otherwise a consequence
                failures.append(Failure("run_failed", call.name, f"call {number} of the run: {error}"))
            continue
        tried = bench.call(call.name, arguments, at)
        at = tried.after
        if tried.succeeded:
            results[number], good[number] = tried.result, tried
        else:
            results.pop(number, None)
            failures.append(tried.fault() or _failed(number, tried))
            if sum(each.reason in SLOW for each in failures) == MOST_SLOW:
                break
    return Way(good, failures)


def _failed(number: int, tried: Tried) -> Failure:
    return Failure("run_failed", tried.call.name, f"call {number} of the run: {tried.answered}")


def _never(tried: Tried, built: Built) -> Failure:
    call = "no call of <run>" if built.run else "no call that was tried"
    detail = f"{call} succeeds; {tried.answered}. Show in <run> how it succeeds"
    return Failure("never_succeeds", tried.call.name, detail)


def completed(bench: Bench, built: Built, workflow: Workflow) -> Way:
    """The writer's run, with a call for every tool that it lacks, if the search finds one that succeeds."""
    way = played(bench, built.run)
    good, failures = dict(way.good), list(way.failures)
    named = {failure.tool for failure in failures}
    for name in dict.fromkeys((*workflow.execution_graph.names(), *bench.tools)):
        if name in named or any(tried.call.name == name for tried in good.values()):
            continue
        tried = found(bench, name, workflow, _states(bench, good))
        if tried.succeeded:
            good[max(good, default=len(built.run)) + 1] = tried
        else:
            failures.append(tried.fault() or _never(tried, built))
    return Way(good, failures)


def _states(bench: Bench, good: Mapping[int, Tried]) -> list[Snapshot]:
    """Where to search: the first state, and after each change."""
    return list({id(at): at for at in (bench.first, *(tried.after for tried in good.values()))}.values())
