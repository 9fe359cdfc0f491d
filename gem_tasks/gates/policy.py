"""`gates.toml`: bounds per stage and metric.

A table per stage, an entry per metric: `{ min = …, max = …, action = "review", sample = … }`, or a list of such.
`[default]` holds for every stage that says nothing else about the metric; `metric = []` lifts a bound.
"""

import tomllib
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gem_tasks.domain.gate import Bound, Policy
from gem_tasks.errors import UserError
from gem_tasks.settings import STAGE_NAMES

METRICS = (
    "accepted_share",
    "failed_share",
    "mean_messages",
    "mean_tools",
    "mean_calls",
    "ungrounded_share",
    "duplicate_share",
    "top_tool_share",
    "tool_entropy",
    "usd_per_accepted",
)
"""Columns of the view `gate_metrics`. `failed_share.malformed` is the share of one class of failures."""
_BOUNDS = TypeAdapter(tuple[Bound, ...])
_DEFAULT = "default"


def parse_policy(text: str, name: str) -> Policy:
    """Reads a policy.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        UserError: it is no policy; names stage, metric and what is wrong, in one line.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refuse(name, str(error)) from None
    if unknown := set(tables) - {_DEFAULT, *STAGE_NAMES}:
        raise _refuse(name, f"[{min(unknown)}] is no stage; there are {', '.join(STAGE_NAMES)} and {_DEFAULT}")
    read = {stage: _stage(name, stage, entries) for stage, entries in tables.items()}
    bounds = {stage: read.get(_DEFAULT, {}) | read.get(stage, {}) for stage in STAGE_NAMES}
    return Policy(sha256=sha256(text.encode()).hexdigest(), bounds=bounds)


def _stage(name: str, stage: str, entries: Any) -> dict[str, tuple[Bound, ...]]:
    if not isinstance(entries, dict):
        raise _refuse(name, f"{stage} must be a table, written [{stage}]")
    return {str(metric): _bounds(name, stage, str(metric), entry) for metric, entry in entries.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _bounds(name: str, stage: str, metric: str, entry: Any) -> tuple[Bound, ...]:
    if metric not in METRICS and not metric.startswith("failed_share."):
        raise _refuse(name, f"{stage}.{metric} is no metric; there are {', '.join(METRICS)} and failed_share.<class>")
    try:
        return _BOUNDS.validate_python(entry if isinstance(entry, list) else [entry])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join([stage, metric, *(str(part) for part in first["loc"][1:])])
        raise _refuse(name, f"{place}: {first['msg'].removeprefix('Value error, ')}") from None


def _refuse(name: str, problem: str) -> UserError:
    return UserError(f"{name}: {problem}", "Correct it, and try `gem gates --check FILE`.")
