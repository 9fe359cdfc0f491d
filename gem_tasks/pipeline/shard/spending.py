"""Puts prices, and the run's budget if it has one, between a stage and its endpoint."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from gem_tasks.errors import UserError
from gem_tasks.lineage import Purse
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.metered import MeteredClient
from gem_tasks.llm.prices import Pricing, pricing
from gem_tasks.pipeline.shard.budget import Budget
from gem_tasks.pipeline.shard.outcomes import Sheet
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.ports import ChatClient
from gem_tasks.settings import StageName

logger = logging.getLogger(__name__)


def priced(work: Workspace, stage: StageName) -> Pricing | None:
    """How to price the stage's calls; None when nobody knows.

    Raises:
        UserError: there is a budget, but no price to hold it by.
    """
    settings = work.settings
    model, endpoint = settings.model_for(stage), settings.endpoint_for(stage)
    price = pricing(model, endpoint, settings.llm_prices)
    if price is None:
        if settings.budget_usd:
            raise UserError(
                f"No price is known for {model!r} at {endpoint}, so the budget cannot be kept",
                "Name its prices in a file and set GEM_LLM_PRICES to it; gem_tasks/llm/prices.toml shows the form.",
            )
        logger.info("no price is known for %r at %s: only tokens are counted (GEM_LLM_PRICES)", model, endpoint)
    return price


def purse(sheet: Sheet) -> Purse:
    """Where the stage's spending over the shard is kept."""
    return Purse(
        run_id=sheet.work.options.purse or sheet.run.run_id or "",
        recipe_id=sheet.recipe.recipe_id,
        partition=sheet.partition,
        shard=sheet.shard,
    )


@asynccontextmanager
async def spending(sheet: Sheet) -> AsyncGenerator[Callable[[OpenAIClient], ChatClient]]:
    """What wraps the stage's client; raises like `priced`."""
    price, limit = priced(sheet.work, sheet.stage.name), sheet.work.settings.budget_usd
    if price is None:
        yield lambda client: client
    elif limit is None:
        yield lambda client: MeteredClient(client, price, None)
    else:
        with sheet.work.ledger() as ledger:
            known = ledger.known_answers(sheet.partition, sheet.recipe.recipe_id)
        async with Budget(sheet.work.ledger, purse(sheet), limit) as budget:
            yield lambda client: MeteredClient(client, price, budget, known, client.limit_of)
