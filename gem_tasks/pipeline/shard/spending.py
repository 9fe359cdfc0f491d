"""Adds prices, and the run's budget if it has one, between a stage and its endpoint."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from gem_tasks.errors import UserError
from gem_tasks.lineage import BudgetAccount
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.usage.metered import MeteredClient
from gem_tasks.llm.usage.prices import Pricing, pricing
from gem_tasks.pipeline.shard.budget import Budget
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.ports import ChatClient

logger = logging.getLogger(__name__)


def priced(work: Workspace, stage: str) -> Pricing | None:
    """Prices of the stage's calls; None if unknown.

    Raises:
        UserError: there is a budget, but no price to enforce it.
    """
    settings = work.settings
    model, endpoint = settings.model_for(stage), settings.endpoint_for(stage)
    price = pricing(model, endpoint, settings.llm_prices)
    if price is None:
        if settings.budget_usd:
            raise UserError(
                f"No price is known for {model!r} at {endpoint}, so GEM cannot enforce the budget",
                "Set GEM_LLM_PRICES to a file that has its prices, in the format of gem_tasks/llm/usage/prices.toml.",
            )
        logger.info("no price is known for %r at %s: GEM counts tokens only (see GEM_LLM_PRICES)", model, endpoint)
    return price


def account(job: ShardJob) -> BudgetAccount:
    """The account of the stage's spending over the shard."""
    return BudgetAccount(
        run_id=job.work.options.purse or job.run.run_id or "",
        recipe_id=job.place.recipe_id,
        partition=job.place.partition,
        shard=job.place.shard,
    )


@asynccontextmanager
async def spending(job: ShardJob, asked: str = "") -> AsyncGenerator[Callable[[OpenAIClient], ChatClient]]:
    """Yields a function that wraps the stage's client, or that of the simulated user; raises like `priced`."""
    price, limit = priced(job.work, asked or job.name), job.work.settings.budget_usd
    if price is None:
        yield lambda client: client
    elif limit is None:
        yield lambda client: MeteredClient(client, price, None)
    else:
        with job.work.ledger() as ledger:
            known = ledger.budgets.known_answers(job.place.partition, job.place.recipe_id)
        async with Budget(job.work.ledger, account(job), limit) as budget:
            yield lambda client: MeteredClient(client, price, budget, known, client.limit_of)
