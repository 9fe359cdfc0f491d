"""The report of an estimate: a table by stage, then cost, time and budget in words."""

from collections import Counter
from collections.abc import Iterator
from statistics import fmean
from typing import Any

from rich.table import Table

from gem_tasks.cli.terminal import Terminal
from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import StageName
from gem_tasks.pipeline.preflight.forecast import CONFIDENCE, Amount, Forecast, StageForecast, Taken
from gem_tasks.pipeline.preflight.sample import Sampled
from gem_tasks.pipeline.preflight.survey import Survey
from gem_tasks.visible import visible

_ROUND = 10_000
"""Smallest number that is shown in thousands, millions or billions."""


class Estimated(Value):
    """Everything that is known after the sample."""

    source: str
    survey: Survey
    sample: Sampled
    sample_seconds: float
    forecast: Forecast | None
    """None if no text needs a request."""
    in_flight: int
    """Highest number of concurrent requests of a task."""
    budget_usd: float | None
    unpriced: dict[StageName, str]
    """Stages without a known price, with their models."""
    batched: tuple[StageName, ...]
    in_worlds: int = 0
    """Conversations in worlds for each workflow, which the estimate does not contain."""

    def seconds(self, at_a_time: int) -> Amount | None:
        """Duration of the rest at this concurrency; None if stages wait for batches."""
        if self.forecast is None or self.batched:
            return None
        spans = [_span(each, at_a_time) for each in self.forecast.stages if each.rest]
        totals = {name: sum(getattr(span, name) for span in spans) for name in Amount.model_fields}
        return Amount.model_validate(totals)


def _span(stage: StageForecast, at_a_time: int) -> Amount:
    """Duration of one stage: it ends before the next one starts."""
    found: dict[str, float] = {}
    for name in Amount.model_fields:
        texts, seconds = getattr(stage.texts, name), getattr(stage.rest.seconds, name) if stage.rest else 0.0
        found[name] = seconds / max(1.0, min(at_a_time, texts))
    return Amount(**found | {"low": min(found.values()), "high": max(found.values())})


def plain(result: Estimated) -> dict[str, Any]:
    """The estimate as JSON, without the texts."""
    found = result.model_dump(mode="json", exclude={"survey": {"sample"}})
    lines = [*_facts(result), *_meaning(result)]
    paces = {"seconds": len(result.sample.texts), "seconds_at_best": result.in_flight}
    times = {name: (span := result.seconds(pace)) and span.model_dump() for name, pace in paces.items()}
    return {**found, **times, "said": lines}


def show(result: Estimated, console: Terminal) -> None:
    """Prints the estimate for people."""
    if result.forecast and _anything_left(result.forecast):
        console.print(_table(result.forecast))
    for line in (*_facts(result), *_meaning(result)):
        console.print(visible(line), highlight=False, markup=False, soft_wrap=True)


def _anything_left(found: Forecast) -> bool:
    return found.rest > 0 or found.total.calls.high > 0


def _table(found: Forecast) -> Table:
    title = f"The other {found.rest:,} texts, by a sample of {found.sample}: expected, and {CONFIDENCE:.0%} interval"
    table = Table(title=title, title_justify="left")
    for name in ("stage", "of the sample", "texts", "calls", "tokens in", "out", "thought", "USD"):
        table.add_column(name, justify="left" if name in {"stage", "of the sample"} else "right", no_wrap=True)
    for stage in found.stages:
        ends = {"accepted": stage.accepted, "rejected": stage.rejected, "failed": stage.failed}
        ended = "\n".join(f"{count} {kind}" for kind, count in ends.items() if count)
        like = f"\n(as {stage.borrowed})" if stage.borrowed else ""
        table.add_row(stage.stage + like, ended or "none reached it", _cell(stage.texts), *_cells(stage.rest))
    table.add_section()
    table.add_row("total", "", "", *_cells(found.total))
    return table


def _cells(taken: Taken | None) -> list[str]:
    if taken is None:
        return ["unknown"] * 5
    tokens = _cell(taken.prompt_tokens)
    if taken.cached_tokens.high >= 1:
        tokens += f"\n{_number(taken.cached_tokens.expected)} cached"
    usd = _cell(taken.usd, "$") if taken.usd else "no price"
    return [_cell(taken.calls), tokens, _cell(taken.completion_tokens), _cell(taken.reasoning_tokens), usd]


def _cell(amount: Amount, unit: str = "") -> str:
    if amount.high == 0:
        return f"{unit}0"
    return f"{_number(amount.expected, unit)}\n{_range(amount, unit)}"


def _range(amount: Amount, unit: str = "") -> str:
    return f"{_number(amount.low, unit)}–{_number(amount.high, unit)}"


def _number(value: float, unit: str = "") -> str:
    if unit and value < 100:
        return f"{unit}{value:.2f}"
    for power, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= max(power, _ROUND):
            return f"{unit}{value / power:,.1f}{letter}"
    return f"{unit}{value:,.0f}"


def _facts(result: Estimated) -> Iterator[str]:
    """Lines about the source and the sample."""
    found, texts = result.survey, result.sample.texts
    left_out = {
        "known from earlier runs (gem stale)": found.known,
        "without usable text, or duplicates": found.unusable,
    }
    parts = [f"{count:,} {what}" for what, count in left_out.items() if count]
    documents = f"{found.documents:,} documents" + (f" (limit {found.limit})" if found.limit else "")
    documents += f", of which {', '.join(parts)}" if parts else ""
    doubled = f"; {found.near_duplicates:,} more are near-duplicates and cost nothing" if found.near_duplicates else ""
    yield f"SOURCE holds {documents}: {found.texts:,} texts to process{doubled}."
    if not texts:
        yield "No text needs processing, so there is nothing to estimate."
        return
    costs = [step.cost for text in texts for step in text.steps]
    usd = sum(cost.usd or 0.0 for cost in costs)
    spent = f", ${usd:.4f}" if usd else ""
    tokens = sum(cost.usage.prompt_tokens for cost in costs), sum(cost.usage.completion_tokens for cost in costs)
    earlier = f", of which {result.sample.replayed} answers were reused from an earlier estimate"
    yield (
        f"The sample: {len(texts):,} texts, {sum(cost.calls for cost in costs):,} calls{spent},"
        f" {tokens[0]:,} + {tokens[1]:,} tokens, {result.sample_seconds:.0f} s"
        f"{earlier if result.sample.replayed else ''}. The answers are saved: the run reuses them."
    )
    if (mean := fmean(text.conversations for text in texts)) > 1:
        yield (
            f"A run makes {mean:.1f} conversations of a text (GEM_MAX_WORKFLOWS, GEM_ROLLOUTS), of which the sample has"
            " the first. The others of its texts count to the rest."
        )
    failed = Counter((step.stage, step.error_class) for text in texts for step in text.steps if step.error_class)
    for (stage, kind), count in failed.most_common():
        said = next(
            step.detail for text in texts for step in text.steps if (step.stage, step.error_class) == (stage, kind)
        )
        yield f"{count} of the sample failed in {stage} ({kind}): {said[:200]}"


def _meaning(result: Estimated) -> Iterator[str]:
    """Lines about the rest, estimated from the sample."""
    found = result.forecast
    if found is None:
        return
    if not _anything_left(found):
        yield "The sample covers all texts: the run only has to reuse its answers."
        return
    total = found.total
    yield f"Trajectories from the rest: about {_number(found.accepted.expected)} ({_range(found.accepted)})."
    if found.unknown:
        most = next(each.texts.high for each in found.stages if each.stage in found.unknown)
        yield (
            f"No text of the sample reached {', '.join(found.unknown)}. Up to {_number(most)} of the rest may, at an"
            f" unknown cost. Use a larger sample: --estimate {4 * found.sample}"
        )
    if result.unpriced:
        models = ", ".join(sorted(set(result.unpriced.values())))
        yield f"No price is known for {models}: only tokens are counted. Set GEM_LLM_PRICES to a file with your prices."
    elif total.usd and total.usd.high > 0:
        yield f"Cost of the rest: about {_number(total.usd.expected, '$')} ({_range(total.usd, '$')})."
        yield from _budget(result, total.usd)
    if result.in_worlds:
        texts = max(found.stages, key=lambda each: each.stage == "generate").texts.expected
        most = _number(texts * result.in_worlds)
        yield (
            f"Conversations in worlds (GEM_WORLDS) are not part of this estimate: up to {most} for the first workflows"
            " of the rest. Each has cost a strong model as much as 30,000 to 60,000 input tokens with prompt caching,"
            " up to 180,000 without, its share of the world included."
        )
    if result.batched:
        yield f"In batch mode (half the price, up to a day each): {', '.join(result.batched)}."
    elif (paced := result.seconds(found.sample)) and (best := result.seconds(result.in_flight)):
        yield (
            f"Time for the rest: about {_duration(paced.expected)} ({_duration(paced.low)} to {_duration(paced.high)})"
            f" at the pace of the sample, {found.sample} at a time; {_duration(best.expected)} at best, if the endpoint"
            f" answers {result.in_flight} at a time at the same speed."
        )


def _budget(result: Estimated, usd: Amount) -> Iterator[str]:
    budget = result.budget_usd
    if budget is None:
        yield "No budget is set. Set one with GEM_BUDGET_USD, or with `gem run --budget-usd`."
    elif usd.expected > budget:
        yield (
            f"The budget of ${budget:g} is not enough: it covers about {budget / usd.expected:.0%} of the rest."
            " The run would stop there, keep its results, and continue when the budget is raised."
        )
    elif usd.high > budget:
        yield f"The budget of ${budget:g} may not be enough."
    else:
        yield f"The budget of ${budget:g} is enough."


def _duration(seconds: float) -> str:
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
