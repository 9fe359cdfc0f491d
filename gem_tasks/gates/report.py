"""Shows a decision as Markdown to the person who decides. Texts of documents and models appear in fences only."""

import re
from collections.abc import Sequence
from textwrap import wrap

from gem_tasks.domain.gate import Decision, Held
from gem_tasks.visible import visible_lines

_COLUMNS = 96
_MOST = 1500
"""Maximum characters of an example."""


def report(decision: Decision, partition: str, examples: Sequence[tuple[str, str]]) -> str:
    """The numbers with their bounds, and examples as `(heading, text)`; headings and texts may be hostile."""
    lines = [
        f"**{decision.metrics.stage}** of partition `{partition}`: {decision.reason}",
        "",
        "| metric | measured | expected | action | |",
        "|---|---|---|---|---|",
        *(_row(held) for held in decision.held),
        "",
        f"Outcomes: {decision.metrics.accepted} accepted, {decision.metrics.rejected} rejected,"
        f" {decision.metrics.failed} failed. Policy `{decision.policy_sha256[:12]}`.",
    ]
    bound = {held.metric for held in decision.held}
    free = [f"{name} {number:.3g}" for name, number in sorted(decision.metrics.numbers.items()) if name not in bound]
    if free:
        lines += ["", f"Also measured, without a bound: {', '.join(free)}."]
    if examples:
        lines += ["", f"## {len(examples)} examples"]
    for heading, text in examples:
        lines += ["", fenced(wrapped(f"{heading}\n\n{text[:_MOST]}"))]
    return "\n".join(lines)


def wrapped(text: str) -> str:
    """Wraps lines to the page's width: browsers do not wrap code blocks."""
    return "\n".join(part for line in text.splitlines() for part in (wrap(line, _COLUMNS) or [""]))


def fenced(text: str) -> str:
    """A code block that the text cannot close: browsers render, link or load nothing in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{visible_lines(text)}\n{fence}"


def _row(held: Held) -> str:
    number = "not measured" if held.number is None else f"{held.number:.3g}"
    state = "**broken**" if held.broken else "kept" if held.enough else f"fewer than {held.bound.sample}"
    return f"| {held.metric} | {number} | {held.bound} | {held.bound.action} | {state} |"
