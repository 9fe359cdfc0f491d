"""Params of runs: a source with its settings, and the fields of `gem_tasks.pipeline.options.RunOptions`."""

from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from gem_airflow.params import SHA, line, several, text, whole
from gem_tasks.domain.stage import EVERY_STAGE, USER_PROMPT

if TYPE_CHECKING:
    from gem_tasks.domain.corpus import Source

MOST = 1_000_000_000
"""Upper bound for counts of documents, tokens and characters."""
_PROMPTS = [*EVERY_STAGE, USER_PROMPT, "repair"]
BUDGET = Param(
    None,
    type=["null", "number"],
    exclusiveMinimum=0,
    maximum=10_000_000,
    title="Budget in USD",
    description="The synthesis stops before it exceeds this budget; a later run continues it."
    " Empty: GEM_BUDGET_USD, or no limit.",
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
        "Runs with the same name share one budget. Empty: each partition has the whole budget.",
        line(200),
    ),
    "quotas": several(
        "Quotas",
        "The most that a domain, platform or task may be of the texts that pass, such as domain:finance=10%."
        " Instead of GEM_QUOTAS; none releases what is held.",
        pattern=line(200),
    ),
    "stages": several("Stages", "Recompute stale results of these stages only. Empty: all.", enum=list(EVERY_STAGE)),
    "sources": several(
        "Sources",
        "Backfill: only documents of these sources (URIs, one per line). Empty: all.",
        pattern=line(2000),
    ),
    "prompts": _override(
        "Prompts (variant)",
        'Replace current prompts, for example {"refine": "SHA-256 of a stored version"}. GEM stores the results next '
        "to the current ones and does not publish them.",
        _PROMPTS,
        SHA,
    ),
    "models": _override(
        "Models (variant)",
        'Replace current models, for example {"refine": "model"}.',
        list(EVERY_STAGE),
        line(200),
    ),
}

SOURCE: dict[str, Param] = {
    "source": text(
        "Source",
        "A file, a directory, s3://bucket/prefix, hf://datasets/owner/name or https://host/ to register and read."
        " Empty: all enabled sources.",
        line(2000),
    ),
    "license": text("Licence", "For documents that do not state one. Stored with the source.", line(200)),
    "target_tokens": whole("Segment size", "Target size in tokens. Stored with the source.", 50, MOST),
    "max_tokens": whole("Largest segment", "Upper limit in tokens. Stored with the source.", 100, MOST),
    "min_chars": whole("Shortest document", "Skip documents with fewer characters. Stored with the source.", 0, MOST),
    "accept_vanished": Param(
        False,
        type="boolean",
        title="Allow mass deletion",
        description="Retire the documents of all vanished objects, even if there are many.",
    ),
}
"""A source and its settings, which `gem_ingest` registers."""


def source_of(uri: str, params: dict[str, Any]) -> "Source":
    """A source of the run; the run's source settings apply only if the run names this source."""
    from gem_tasks.domain.corpus import Source

    named = params.get("source") == uri
    settings = ("license", "target_tokens", "max_tokens", "min_chars", "limit")
    return Source(uri=uri, **{name: params.get(name) for name in settings if named})
