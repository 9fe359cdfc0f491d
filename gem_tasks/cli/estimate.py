"""`--estimate` of `gem run` and `gem synth`: the expected cost of a source, measured on a sample."""

import json
import time
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from gem_tasks.cli.estimate_report import Estimated, plain, show
from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.domain.corpus import Source
from gem_tasks.domain.stage import StageName
from gem_tasks.llm.dialects.memory import public_url
from gem_tasks.llm.usage.prices import Pricing, pricing
from gem_tasks.pipeline.batch.open_requests import PRICE_SHARE
from gem_tasks.pipeline.preflight.forecast import Terms, forecast
from gem_tasks.pipeline.preflight.sample import measure
from gem_tasks.pipeline.preflight.survey import survey
from gem_tasks.pipeline.recipes import takes_of
from gem_tasks.pipeline.workspace import Workspace

DEFAULT = 20
"""Texts in a sample."""
_OPTION = "--estimate"
EstimateOption = Annotated[
    int | None,
    typer.Option(
        _OPTION,
        min=1,
        metavar=f"[N] (default {DEFAULT})",
        help="Run N random texts through all stages, estimate the cost of the rest, and stop. Publishes nothing.",
    ),
]


class EstimatingCommand(TyperCommand):
    """A command whose `--estimate` may be given without a number."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Adds the default if the number is missing."""
        given = [
            f"{_OPTION}={DEFAULT}" if arg == _OPTION and not _is_number(args[at + 1 : at + 2]) else arg
            for at, arg in enumerate(args)
        ]
        return super().parse_args(ctx, given)


def estimate(
    work: Workspace, source: str, limit: int | None, size: int, *, budget_usd: float | None, as_json: bool
) -> None:
    """Measures a sample and prints the estimate.

    Args:
        work: the workspace of the run.
        source: its address.
        limit: as `Source.limit`.
        size: size of the sample, in texts.
        budget_usd: budget of the run; it also limits the sample.
        as_json: print only JSON.

    Raises:
        UserError: the source cannot be read, an endpoint cannot be used, or the budget does not cover the sample.
    """
    settings, chain = work.settings, work.chain
    prices: dict[StageName, Pricing | None] = {
        name: pricing(settings.model_for(name), settings.endpoint_for(name), settings.llm_prices)
        for name in chain.by_stage
    }
    terms = Terms(
        takes={name: takes_of(recipe) for name, recipe in chain.by_stage.items()},
        unpriced=frozenset(name for name, price in prices.items() if price is None),
        discounts={name: PRICE_SHARE for name in chain.by_stage if settings.mode_for(name) == "batch"},
    )
    with shown(as_json) as say:
        found = survey(work, Source(uri=source, limit=limit), size, told=lambda count: say("reading SOURCE", count, 0))
        total, started = len(found.sample), time.monotonic()
        sampled = measure(work, found.sample, budget_usd, lambda done: say("running the sample", done, total))
    seconds = time.monotonic() - started
    made = forecast(sampled.texts, found.texts - total, terms) if sampled.texts else None
    result = Estimated(
        source=source, survey=found, sample=sampled, sample_seconds=seconds, forecast=made,
        in_flight=settings.llm_concurrency, budget_usd=budget_usd,
        unpriced={name: f"{settings.model_for(name)} at {public_url(settings.endpoint_for(name))}"
                  for name in terms.unpriced},
        batched=tuple(terms.discounts),
        in_worlds=settings.world_tasks * settings.world_attempts if settings.worlds == "on" else 0,
    )  # fmt: skip
    if as_json:
        echo_json(json.dumps(plain(result), indent=1))
    else:
        show(result, Terminal())


def _is_number(rest: list[str]) -> bool:
    return bool(rest) and rest[0].lstrip("-").isdigit()
