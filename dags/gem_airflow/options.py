"""Options that people give to runs: a source and its settings, and those of `gem_tasks.pipeline.options.RunOptions`."""

from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from gem_tasks.settings import STAGE_NAMES

if TYPE_CHECKING:
    from gem_tasks.domain.corpus import Source

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

SOURCE: dict[str, Param] = {
    "source": Param(
        None,
        type=["null", "string"],
        title="Source",
        description="A file, a directory, s3://bucket/prefix or hf://datasets/owner/name to register and read."
        " Empty: all that are enabled.",
    ),
    "license": Param(
        None,
        type=["null", "string"],
        title="Licence",
        description="Of the source's documents that name none themselves. Kept with the source.",
    ),
    "target_tokens": Param(
        None, type=["null", "integer"], minimum=50, title="Segment size", description="Kept with the source, too."
    ),
    "max_tokens": Param(None, type=["null", "integer"], minimum=100, title="Largest segment"),
    "min_chars": Param(None, type=["null", "integer"], minimum=0, title="Shortest document, in characters"),
    "accept_vanished": Param(
        False,
        type="boolean",
        title="What vanished is meant to",
        description="Retire the documents of vanished objects, however many there are.",
    ),
}
"""A source and its settings, which `gem_ingest` registers."""


def source_of(uri: str, params: dict[str, Any]) -> "Source":
    """One of the sources of a run, with the settings that the run gives to the one that it names."""
    from gem_tasks.domain.corpus import Source

    named = params.get("source") == uri
    settings = ("license", "target_tokens", "max_tokens", "min_chars", "limit")
    return Source(uri=uri, **{name: params.get(name) for name in settings if named})
