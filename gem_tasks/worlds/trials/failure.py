"""What a trial found, and the report that goes back to the model that wrote the world."""

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from gem_tasks.worlds.world import FaultReason

Reason = (
    FaultReason
    | Literal[
        "not_loaded", "run_failed", "never_succeeds", "nothing_changes", "not_repeatable", "order_unenforced",
        "unknown_accepted", "fixed_answer", "special_cased", "few_records", "id_taken", "id_below",
    ]
)  # fmt: skip
"""Why a world is refused: the reasons of the runtime, and

- `not_loaded`: the code does not load.
- `run_failed`: a call of the writer's own run fails; `never_succeeds`: no call of a tool was found that succeeds.
- `nothing_changes`: no tool changes the state; `not_repeatable`: the same calls had other answers.
- `order_unenforced`: a call succeeds without the change that the workflow requires before it.
- `unknown_accepted`: a change succeeds for the id of no record.
- `fixed_answer`: an answer comes from the code, not from the state; `special_cased`: the code names a record.
- `few_records`: the first state is too small; `id_taken`, `id_below`: `nextId` gives an id that exists, or a number
  below that of an older record.
"""

SLOW: frozenset[Reason] = frozenset({"timeout", "memory", "stack", "crashed"})
"""Failures that cost up to a second each."""
MOST_SLOW = 3
"""Then the trials end."""
_MOST = 8
_LONGEST = 400


class Failure(NamedTuple):
    """A trial that a world did not pass."""

    reason: Reason
    tool: str
    detail: str
    """The call and its result, for the model."""

    def __str__(self) -> str:
        """One line; most details begin with the tool."""
        tool = "" if not self.tool or self.tool in self.detail else f"{self.tool}: "
        return f"{self.reason}: {tool}{self.detail}"


def report(failures: Sequence[Failure]) -> str:
    """One line for each kind and tool, up to eight, most telling first."""
    first: dict[tuple[str, str], Failure] = {}
    for failure in failures:
        first.setdefault((failure.reason, failure.tool), failure)
    shown = list(first.values())[:_MOST]
    more = len(first) - len(shown)
    lines = [f"{number}. {failure}" for number, failure in enumerate(shown, 1)]
    return "The world was run, and failed:\n" + "\n".join(lines) + (f"\nand {more} more." if more else "")


def told(name: str, arguments: Any) -> str:
    """A call in short."""
    return f"{name}({short(arguments)})"


def short(value: Any) -> str:
    """A value as JSON; long texts lose their middle."""
    return _cut(json.dumps(_shortened(value), ensure_ascii=False), _LONGEST)


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= 80 else f"{value[:20]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return [_shortened(each) for each in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"
