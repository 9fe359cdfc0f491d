"""The report of a run: shares of turns with intervals by conversation, and what went wrong. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import Usage
from gem_tasks.domain.evaluation import OVERALL, Score
from gem_tasks.evals.calls.attempts import Attempt
from gem_tasks.evals.calls.ratios import CALLED, CALLED_INSTEAD, RATIOS
from gem_tasks.evals.calls.turns import conversation_of
from gem_tasks.evals.stats import Floats, resampled_ratios

DECISION = "decision"
_LEVEL = 0.95


def scores(attempts: Sequence[Attempt]) -> tuple[Score, ...]:
    """Every ratio that has turns, the main figure first; standard errors and intervals by conversation.

    `decision`, the second, is the share of the reference's calling turns at which the model calls, minus that of its
    speaking turns: 0 for every answer that does not depend on the turn.
    """
    clusters, ratios = _by_conversation(attempts), (*RATIOS, CALLED_INSTEAD)
    below = np.array([[sum(map(each.of, turns)) for turns in clusters] for each in ratios], np.float64)
    above = np.array([[sum(map(each.both, turns)) for turns in clusters] for each in ratios], np.float64)
    drawn, totals = resampled_ratios(above, below), below.sum(axis=1)
    values = [float(above[at].sum() / total) if total else None for at, total in enumerate(totals)]
    found = [
        _score(each.category, each.metric, value, drawn[at], int(totals[at]), int((below[at] > 0).sum()))
        for at, each in enumerate(RATIOS)
        if (value := values[at]) is not None
    ]
    rightly, wrongly = ratios.index(CALLED), ratios.index(CALLED_INSTEAD)
    if (yes := values[rightly]) is not None and (no := values[wrongly]) is not None:
        more = drawn[rightly] - drawn[wrongly]
        found.insert(1, _score(OVERALL, DECISION, yes - no, more, len(attempts), len(clusters)))
    return tuple(found)


def _by_conversation(attempts: Sequence[Attempt]) -> list[list[Attempt]]:
    found: defaultdict[str, list[Attempt]] = defaultdict(list)
    for each in attempts:
        found[conversation_of(each.case_id)].append(each)
    return list(found.values())


def _score(category: str, metric: str, value: float, drawn: Floats, turns: int, clusters: int) -> Score:
    known = drawn[~np.isnan(drawn)]
    return Score(
        category=category,
        metric=metric,
        value=value,
        standard_error=float(known.std()) if clusters > 1 else None,
        interval=_interval(value, known, clusters, binomial=metric != DECISION),
        cases=turns,
    )


def _interval(value: float, drawn: Floats, clusters: int, *, binomial: bool) -> tuple[float, float] | None:
    """The percentiles; if all resamples of a share are alike, the exact binomial interval over conversations.

    None for a single conversation.
    """
    if binomial and value in (0.0, 1.0):
        reach = ((1 - _LEVEL) / 2) ** (1 / clusters)
        return (reach, 1.0) if value else (0.0, 1 - reach)
    if clusters == 1:
        return None
    low, high = np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def measures(attempts: Sequence[Attempt], left_out: Json) -> Json:
    """Faults, tokens, confused kinds, and what does not count."""
    played = [each for each in attempts if each.error is None]
    used = sum((each.usage for each in played), Usage())
    confused: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in played:
        confused[each.category][each.kind or each.fault or "malformed"] += 1
    return {
        "conversations": len(_by_conversation(attempts)),
        "turns": dict(Counter(each.category for each in attempts)),
        "faults": dict(Counter(each.fault for each in played if each.fault).most_common()),
        "ran_on": sum(each.ran_on for each in played),
        "confusion": {kind: dict(found.most_common()) for kind, found in sorted(confused.items())},
        "tokens": used.model_dump(exclude={"cache_write_tokens"}),
        "left_out": left_out,
    }
