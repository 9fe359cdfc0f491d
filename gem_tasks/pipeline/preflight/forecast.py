"""Forecasts the cost of the rest of a source from a random sample of its texts: sample means, each with an interval.

The sample has the first conversation of each text. All conversations of a text count as that one; those that the sample
left out are part of the rest. A text's path ends in one of the stages. The interval comes from a Bayesian bootstrap
over texts (Rubin 1981): in each of `_DRAWS` draws every text of the sample has a random weight, the same in all stages.
One more text is added, half a trajectory and half spread over all other ways to end, for outcomes that a small sample
did not show. The weights give the shares that continue and the mean cost of the texts that reach a stage; then the
texts of the rest are drawn one by one. Means of few texts vary more than a bootstrap shows, so their spread is widened
as Student's t is wider than the normal distribution.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import ACCEPTING, ASKS_LIKE, PER_TAKE, STAGE_NAMES, StageName
from gem_tasks.pipeline.preflight.sample import Measured, Step

CONFIDENCE = 0.9
_DRAWS = 4000
_NORMAL = 1.6449
"""95 % of a normal distribution."""
_ONE_TEXT = math.log(2)
"""A single text has no spread, so half to twice its value is assumed as a standard deviation."""
_MEASURES = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "usd", "seconds")

_TINY = 1e-12
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Amount(Value):
    """An estimated number."""

    expected: float
    low: float
    high: float
    """The true number lies between `low` and `high` with a probability of about `CONFIDENCE`."""


class Taken(Value):
    """Cost of a set of texts: counts, USD, and seconds if answers came one after the other. None: unknown."""

    calls: Amount
    prompt_tokens: Amount
    cached_tokens: Amount
    completion_tokens: Amount
    reasoning_tokens: Amount
    """Part of the completion tokens."""
    usd: Amount | None = None
    seconds: Amount


class StageForecast(Value):
    """Forecast of one stage."""

    stage: StageName
    reached: int
    """Texts of the sample that reached the stage."""
    accepted: int
    rejected: int
    failed: int
    borrowed: StageName | None = None
    """If no text of the sample reached it, costs are those of this stage, which sends similar requests to its model."""
    texts: Amount
    """Texts of the rest that will reach it."""
    rest: Taken | None
    """Their cost; None if unknown."""


class Forecast(Value):
    """Forecast of all stages."""

    sample: int
    rest: int
    """Texts outside the sample."""
    stages: tuple[StageForecast, ...]
    total: Taken
    """Cost of the rest, over all stages with a known cost."""
    accepted: Amount
    """Trajectories that the rest will yield."""
    unknown: tuple[StageName, ...] = ()
    """Stages of unknown cost that texts of the rest may reach."""


class Terms(Value):
    """Facts about stages besides the sample."""

    takes: Mapping[StageName, str]
    """The outcome of the preceding stage that each stage works on; `nothing` for a stage that is off."""
    unpriced: frozenset[StageName] = frozenset()
    """Stages whose model has no known price."""
    discounts: Mapping[StageName, float] = {}
    """Price of a token in the run as a share of its price in the sample: for stages in batch mode."""


def forecast(texts: Sequence[Measured], rest: int, terms: Terms, seed: int = 0) -> Forecast:
    """Forecasts the cost of `rest` further texts from a sample of at least one."""
    draw = np.random.default_rng(seed)
    stages: list[StageName] = [name for name in STAGE_NAMES if terms.takes[name] != "nothing"]
    weights = draw.exponential(size=(_DRAWS, len(texts)))
    counts, accepted = _counts(texts, stages, rest, weights, draw)
    found, sums = list[StageForecast](), list[_Drawn]()
    for name, came in zip(stages, counts, strict=True):
        like, costs = _costs_of(texts, name, terms)
        expected = rest * sum(_came_to(texts, name)) / len(texts)
        drawn = None
        if len(costs):
            totals = _totals(costs, weights[:, _came_to(texts, like)], came, draw)
            left = _left_of_sample(texts, name, terms)
            drawn = _Drawn(costs.mean(axis=0) * expected + left, totals + left)
            sums.append(drawn)
        taken = _taken(drawn, priced=name not in terms.unpriced) if drawn else None
        found.append(_stage(texts, name, like, _amount(expected, came), taken))
    total = _Drawn(sum(each.expected for each in sums), sum(each.draws for each in sums))
    return Forecast(
        sample=len(texts),
        rest=rest,
        stages=tuple(found),
        total=_taken(total, priced=terms.unpriced.isdisjoint(stages)),
        accepted=_accepted(texts, rest, weights, accepted),
        unknown=tuple(each.stage for each in found if each.rest is None),
    )


def _stage(
    texts: Sequence[Measured], name: StageName, like: StageName, came: Amount, taken: Taken | None
) -> StageForecast:
    ends = [step.kind for text in texts for step in text.steps if step.stage == name]
    return StageForecast(
        stage=name,
        reached=len(ends),
        accepted=ends.count("accepted"),
        rejected=ends.count("rejected"),
        failed=ends.count("failed"),
        borrowed=like if like != name else None,
        texts=came,
        rest=taken,
    )


class _Drawn(NamedTuple):
    """Cost of a stage by measure: expected, and per draw."""

    expected: Any
    draws: Any


def _counts(
    texts: Sequence[Measured], stages: Sequence[StageName], rest: int, weights: Floats, draw: np.random.Generator
) -> tuple[list[Counts], Counts]:
    """Per draw: texts of the rest that reach each stage, and those that become trajectories.

    Texts end in one of the stages, or as a trajectory in a stage that may accept one.
    """
    ways: list[tuple[StageName, bool]] = [(name, False) for name in stages]
    for name in stages:
        if name in ACCEPTING:
            ways.append((name, True))
    took = [(text.steps[-1].stage, _is_accepted(text)) for text in texts]
    mine = np.stack([weights[:, [each == way for each in took]].sum(axis=1) for way in ways], axis=1)
    mine += draw.gamma([_share_of_further(name, accepted, ways) for name, accepted in ways], size=mine.shape)
    ended = draw.multinomial(rest, mine / mine.sum(axis=1, keepdims=True))
    place = [stages.index(name) for name, _ in ways]
    came = [ended[:, [at >= number for at in place]].sum(axis=1) for number in range(len(stages))]
    return came, ended[:, [accepted for _, accepted in ways]].sum(axis=1)


def _share_of_further(name: StageName, accepted: bool, ways: Sequence[tuple[StageName, bool]]) -> float:
    """Share of the one added text: half becomes a trajectory at once, half ends anywhere else."""
    if accepted and name == ACCEPTING[0]:
        return 0.5
    return 0.5 / (len(ways) - 1)


def _is_accepted(text: Measured) -> bool:
    last = text.steps[-1]
    return last.stage in ACCEPTING and last.kind == "accepted"


def _accepted(texts: Sequence[Measured], rest: int, weights: Floats, accepted: Counts) -> Amount:
    """Trajectories: accepted texts, each with all of its conversations, and those that the sample left out."""
    some = [_is_accepted(text) for text in texts]
    each = np.array([text.conversations for text in texts], dtype=np.float64)
    mine = weights[:, some]
    per_text = mine @ each[some] / mine.sum(axis=1) if any(some) else 1.0
    left = float((each[some] - 1).sum())
    return _amount(rest * float(each[some].sum()) / len(texts) + left, accepted * per_text + left)


def _came_to(texts: Sequence[Measured], name: StageName) -> list[bool]:
    return [any(step.stage == name for step in text.steps) for text in texts]


def _costs_of(texts: Sequence[Measured], name: StageName, terms: Terms) -> tuple[StageName, Floats]:
    """One row per text that reached the stage, one column per measure of `_MEASURES`.

    If no text reached it, returns the costs and the name of the stage with similar requests.
    """
    own = _costs(texts, name, terms)
    like = ASKS_LIKE.get(name, name)
    if len(own) or like == name or not len(other := _costs(texts, like, terms)):
        return name, own
    return like, other


def _costs(texts: Sequence[Measured], name: StageName, terms: Terms) -> Floats:
    discount = terms.discounts.get(name, 1.0)
    rows = [
        [value * (text.conversations if name in PER_TAKE else 1) for value in _row(step, discount)]
        for text in texts
        for step in text.steps
        if step.stage == name
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(_MEASURES))


def _left_of_sample(texts: Sequence[Measured], name: StageName, terms: Terms) -> Floats:
    """Cost of the conversations of the sample's texts that the sample left out, by measure."""
    several = [text for text in texts if text.conversations > 1] if name in PER_TAKE else []
    first = _costs([text.model_copy(update={"conversations": 1}) for text in several], name, terms)
    return _costs(several, name, terms).sum(axis=0) - first.sum(axis=0)


def _row(step: Step, discount: float) -> list[float]:
    cost, usage = step.cost, step.cost.usage
    tokens = usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, usage.reasoning_tokens
    return [cost.calls, *tokens, (cost.usd or 0.0) * discount, cost.latency_s]


def _totals(costs: Floats, weights: Floats, came: Counts, draw: np.random.Generator) -> Floats:
    """Per draw, the cost of the texts that reach a stage."""
    mean, count = costs.mean(axis=0), len(costs)
    known = np.where(mean > 0, mean, 1.0)
    if count == 1:
        means = mean * np.exp(_ONE_TEXT * draw.standard_normal((_DRAWS, 1)))
        spread = mean * _ONE_TEXT
    else:
        drawn = weights @ costs / weights.sum(axis=1, keepdims=True)
        means = mean * (np.maximum(drawn, _TINY) / known) ** _widened(count)
        spread = costs.std(axis=0, ddof=1)
    many = came[:, None]
    return np.maximum(0.0, means * many + draw.standard_normal((_DRAWS, 1)) * spread * np.sqrt(many))


def _widened(count: int) -> float:
    """Factor by which the spread of a mean of `count` values exceeds that of its Bayesian bootstrap.

    The bootstrap divides by n + 1 and n where n and n - 1 would be right, and is normal where Student's t would be
    (Cornish and Fisher's expansion of its quantile).
    """
    z, v = _NORMAL, count - 1
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    return t / z * math.sqrt((count + 1) / (count - 1))


def _taken(found: _Drawn, *, priced: bool) -> Taken:
    amounts = {name: _amount(float(found.expected[at]), found.draws[:, at]) for at, name in enumerate(_MEASURES)}
    return Taken.model_validate(amounts | ({} if priced else {"usd": None}))


def _amount(expected: float, draws: Any) -> Amount:
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Amount(expected=expected, low=min(float(low), expected), high=max(float(high), expected))
