"""The report of a run: pass^k and pass@k by kind, causes, and means. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import Usage
from gem_tasks.domain.evaluation import OVERALL, CaseScore, Score
from gem_tasks.evals.passes import passes
from gem_tasks.evals.worlds.attempts import Attempt
from gem_tasks.evals.worlds.cases import IDLE, task_of


def counted(cases: Sequence[CaseScore]) -> list[CaseScore]:
    """The tries behind the overall score: all but those of `idle` cases."""
    return [case for case in cases if case.category != IDLE]


def scores(cases: Sequence[CaseScore]) -> tuple[Score, ...]:
    """pass^1 to pass^k and pass@k overall, then pass^1 and pass^k by kind."""
    by_kind: defaultdict[str, list[CaseScore]] = defaultdict(list)
    for case in cases:
        by_kind[case.category].append(case)
    parts = [score for kind in sorted(by_kind) for score in _first_and_last(by_kind[kind], kind)]
    return (*passes(counted(cases), OVERALL, task_of), *parts)


def _first_and_last(cases: Sequence[CaseScore], kind: str) -> list[Score]:
    found = [score for score in passes(cases, kind, task_of) if "^" in score.metric]
    return found[:1] + found[1:][-1:]


def measures(attempts: Sequence[Attempt], refused: dict[str, str]) -> Json:
    """Causes overall and by kind, means of a try, and cases that do not count.

    Tries that failed outside the model have no part in the means. `user`: tries in which the simulated user said what
    only the assistant sees, and the share of their words that is copied from the task.
    """
    played = [each for each in attempts if each.error is None]
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in attempts:
        kinds[each.category][_result(each)] += 1
    return {
        "causes": dict(Counter(each.cause for each in attempts if each.cause).most_common()),
        "kinds": {kind: dict(found.most_common()) for kind, found in sorted(kinds.items())},
        "endings": dict(Counter(each.ending for each in attempts if each.ending).most_common()),
        "means": _means(played) if played else {},
        "user": {
            "leaks": sum(bool(each.leaks) for each in played),
            "copied": round(fmean(each.copied for each in played), 3) if played else 0.0,
        },
        "refused": refused,
    }


def _result(attempt: Attempt) -> str:
    return "reached" if attempt.reached else attempt.cause or "endpoint"


def _means(played: Sequence[Attempt]) -> Json:
    tokens = {
        f"{role}_{name}": fmean(getattr(each.usage.get(role, Usage()), name) for each in played)
        for role in ("assistant", "user")
        for name in ("prompt_tokens", "completion_tokens")
    }
    plain = {name: fmean(getattr(each, name) for each in played) for name in ("calls", "turns", "seconds")}
    return {name: round(value, 2) for name, value in (plain | tokens).items()}
