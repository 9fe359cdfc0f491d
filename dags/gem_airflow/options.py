"""Options that DAGs take: those of `gem_tasks.pipeline.options.RunOptions`, as forms show them."""

from airflow.sdk import Param

from gem_tasks.settings import STAGE_NAMES

BUDGET = Param(
    None,
    type=["null", "number"],
    exclusiveMinimum=0,
    title="Budget in USD",
    description="The synthesis stops before it spends more, and can be continued. Empty: GEM_BUDGET_USD, or none.",
)


def _names(title: str, description: str, **items: object) -> Param:
    return Param(None, type=["null", "array"], items={"type": "string", **items}, title=title, description=description)


def _override(title: str, description: str) -> Param:
    kind = {"type": "string"}
    return Param(None, type=["null", "object"], additionalProperties=kind, title=title, description=description)


RUN_OPTIONS = {
    "budget_usd": BUDGET,
    "purse": Param(
        None,
        type=["null", "string"],
        title="Shared budget",
        description="Runs with the same name here share one budget. Empty: each partition has it for itself.",
    ),
    "stages": _names("Stages", "Only these stages recompute what is stale. Empty: all.", enum=list(STAGE_NAMES)),
    "sources": _names("Sources", "Backfill: only documents of these sources (URIs, one a line). Empty: all."),
    "prompts": _override(
        "Prompts (variant)",
        'Other prompts than the current ones, as {"refine": "SHA-256 of a stored version"}. Results are kept beside '
        "the current ones and are not published.",
    ),
    "models": _override("Models (variant)", 'Other models than the current ones, as {"refine": "model"}.'),
}
