"""`gates.toml`: bounds per stage and metric.

A table per stage, an entry per metric: `{ min = …, max = …, action = "review", sample = … }`, or a list of these.
`[default]` applies to every stage without its own bound for the metric; `metric = []` removes a bound. `[agreement]`
with `min_precision` and `sample` sets the agreement of people that a kind of error needs to reject. `[diversity]`
bounds figures of dataset versions; `[default]` does not apply to it.
"""

import tomllib
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gem_tasks.domain.gate import Bound, MinimumAgreement, Policy
from gem_tasks.domain.stage import EVERY_STAGE
from gem_tasks.errors import UserError
from gem_tasks.gates import diversity
from gem_tasks.gates.diversity import DIVERSITY

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
_DEFAULT, _AGREEMENT = "default", "agreement"


def parse_policy(text: str, name: str) -> Policy:
    """Reads a policy.

    Args:
        text: content of the file.
        name: name of the file, for messages.

    Raises:
        UserError: it is not a policy; the message names stage, metric and fault in one line.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refuse(name, str(error)) from None
    agreement = _agreement(name, tables.pop(_AGREEMENT, None))
    sections = (*EVERY_STAGE, _DEFAULT, DIVERSITY, _AGREEMENT)
    if unknown := set(tables) - set(sections):
        raise _refuse(name, f"[{min(unknown)}] is not a stage; use {', '.join(sections[:-1])} or {_AGREEMENT}")
    read = {stage: _stage(name, stage, entries) for stage, entries in tables.items()}
    bounds = {stage: read.get(_DEFAULT, {}) | read.get(stage, {}) for stage in EVERY_STAGE}
    bounds[DIVERSITY] = read.get(DIVERSITY, {})
    return Policy(sha256=sha256(text.encode()).hexdigest(), bounds=bounds, agreement=agreement)


def _agreement(name: str, table: Any) -> MinimumAgreement | None:
    if table is None:
        return None
    try:
        return MinimumAgreement.model_validate(table)
    except ValidationError as error:
        raise _refuse(name, _first(error, _AGREEMENT)) from None


def _stage(name: str, stage: str, entries: Any) -> dict[str, tuple[Bound, ...]]:
    if not isinstance(entries, dict):
        raise _refuse(name, f"{stage} must be a table, written [{stage}]")
    return {str(metric): _bounds(name, stage, str(metric), entry) for metric, entry in entries.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _bounds(name: str, stage: str, metric: str, entry: Any) -> tuple[Bound, ...]:
    known = diversity.METRICS if stage == DIVERSITY else METRICS
    if metric not in known and (stage == DIVERSITY or not metric.startswith("failed_share.")):
        more = "" if stage == DIVERSITY else " or failed_share.<class>"
        raise _refuse(name, f"{stage}.{metric} is not a metric; use {', '.join(known)}{more}")
    try:
        return _BOUNDS.validate_python(entry if isinstance(entry, list) else [entry])
    except ValidationError as error:
        raise _refuse(name, _first(error, stage, metric, skip=1)) from None


def _first(error: ValidationError, *place: str, skip: int = 0) -> str:
    """Place and message of the first fault; omits the first `skip` parts of the place, which the file lacks."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join([*place, *(str(part) for part in first["loc"][skip:])])
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


def _refuse(name: str, problem: str) -> UserError:
    return UserError(f"{name}: {problem}", "Correct it, then run `gem gates --check FILE`.")
