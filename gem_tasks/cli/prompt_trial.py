"""The trial of a prompt on a terminal: for each segment the current result and the candidate's, in two columns."""

import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from gem_tasks.cli.terminal import Terminal
from gem_tasks.domain.indented import indented
from gem_tasks.pipeline.upkeep.trial import Side, Trial
from gem_tasks.visible import visible

_LINES = 12
_CHARS = 160
"""Longest line, unless outputs are printed in full."""


def print_trials(trials: Sequence[Trial], console: Terminal, *, full: bool) -> None:
    """Prints a table for each segment, then the cost."""
    for trial in trials:
        console.print(Text(f"{trial.segment_id}  {visible(trial.uri)}", style="bold"))
        if trial.candidate is None:
            console.print(Text(f"  not tried: {trial.not_tried}"))
            continue
        console.print(_table(trial.current, trial.candidate, full=full))
    tried = [trial.candidate for trial in trials if trial.candidate]
    priced = [side.usd for side in tried if side.usd is not None]
    money = f", ${sum(priced):.4f}" if priced else ""
    console.print(
        f"{len(tried)} segments tried, {sum(side.calls for side in tried)} calls{money}. Nothing was recorded."
    )


def _table(current: Side | None, candidate: Side, *, full: bool) -> Table:
    table = Table(show_lines=False, expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("current", ratio=1)
    table.add_column("candidate", ratio=1)
    sides = (current, candidate)
    for label, cells in (
        ("outcome", [_outcome(side) for side in sides]),
        ("size", [_size(side) for side in sides]),
        ("findings", ["\n".join(side.findings) or "none" if side and side.size else "" for side in sides]),
        ("tokens", [f"{side.prompt_tokens} + {side.completion_tokens}" if side else "" for side in sides]),
        ("output", [_output(side, full=full) for side in sides]),
    ):
        if any(cells):
            table.add_row(label, *(Text(cell) for cell in cells))
    return table


def _outcome(side: Side | None) -> str:
    if side is None:
        return "no result yet"
    return " ".join(filter(None, (side.outcome, side.why, f"\n{side.detail}" if side.detail else "")))


def _size(side: Side | None) -> str:
    return ", ".join(f"{count} {what}" for what, count in side.size.items()) if side and side.size else ""


def _output(side: Side | None, *, full: bool) -> str:
    if side is None or side.output is None:
        return ""
    messages = side.output.get("messages")
    lines = [_message(message) for message in messages] if messages else _json(side.output)
    if full:
        return "\n".join(lines)
    cut = [line if len(line) <= _CHARS else line[:_CHARS] + "…" for line in lines[:_LINES]]
    more = [f"… {len(lines) - _LINES} more lines, see --full"] if len(lines) > _LINES else []
    return "\n".join(cut + more)


def _message(message: dict[str, Any]) -> str:
    calls = [f"→ {call['name']} {json.dumps(call['arguments'], ensure_ascii=False)}" for call in message["tool_calls"]]
    return f"{message['role']}: " + " ".join(filter(None, (message.get("content") or "", *calls)))


def _json(output: Any) -> list[str]:
    return indented(output, 1).splitlines()
