"""Options that people give to runs: a source and its settings, and those of `gem_tasks.pipeline.options.RunOptions`."""

from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from gem_airflow.params import SHA, line, several, text, whole
from gem_tasks.domain.stage import STAGE_NAMES

if TYPE_CHECKING:
    from gem_tasks.domain.corpus import Source

MOST = 1_000_000_000
"""Of documents, tokens, characters."""
_PROMPTS = [*STAGE_NAMES, "repair"]
BUDGET = Param(
    None,
    type=["null", "number"],
    exclusiveMinimum=0,
    maximum=10_000_000,
    title="Budget in USD",
    description="The synthesis stops before it spends more, and can be continued. Empty: GEM_BUDGET_USD, or none.",
)


def _override(title: str, description: str, names: list[str], pattern: str) -> Param:
    return Param(
        None,
        type=["null", "object"],
        propertyNames={"enum": names},
        additionalProperties={"type": "string", "pattern": pattern},
        title=title,
        description=description,
    )


RUN_OPTIONS = {
    "budget_usd": BUDGET,
    "purse": text(
        "Shared budget",
        "Runs with the same name here share one budget. Empty: each partition has it for itself.",
        line(200),
    ),
    "stages": several("Stages", "Only these stages recompute what is stale. Empty: all.", enum=list(STAGE_NAMES)),
    "sources": several(
        "Sources", "Backfill: only documents of these sources (URIs, one a line). Empty: all.", pattern=line(2000)
    ),
    "prompts": _override(
        "Prompts (variant)",
        'Other prompts than the current ones, as {"refine": "SHA-256 of a stored version"}. Results are kept beside '
        "the current ones and are not published.",
        _PROMPTS,
        SHA,
    ),
    "models": _override(
        "Models (variant)",
        'Other models than the current ones, as {"refine": "model"}.',
        list(STAGE_NAMES),
        line(200),
    ),
}

SOURCE: dict[str, Param] = {
    "source": text(
        "Source",
        "A file, a directory, s3://bucket/prefix or hf://datasets/owner/name to register and read."
        " Empty: all that are enabled.",
        line(2000),
    ),
    "license": text("Licence", "Of the source's documents that name none themselves. Kept with the source.", line(200)),
    "target_tokens": whole("Segment size", "Kept with the source, too.", 50, MOST),
    "max_tokens": whole("Largest segment", "In tokens. Kept with the source, too.", 100, MOST),
    "min_chars": whole("Shortest document, in characters", "Kept with the source, too.", 0, MOST),
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
