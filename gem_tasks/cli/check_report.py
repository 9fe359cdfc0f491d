"""The report of `gem check`: for a terminal, and as Markdown for a pull request."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal
from gem_tasks.lint import CheckedRow, RowFinding, Summary
from gem_tasks.visible import visible

_STYLES = {"error": "red", "open": "yellow", "warning": "dim"}
_MEANS = {
    "error": "a fault that the conversation itself proves",
    "open": "the checks cannot tell whether it is a fault: read it, or use a judge",
    "warning": "unusual, but harmless for training",
}
_LONGEST = 200


def headline(summary: Summary) -> str:
    """One line: the number of conversations, by their worst finding."""
    worst = summary.worst
    parts = [
        f"{worst['error']:,} with errors",
        f"{worst['open']:,} with open findings",
        f"{worst['warning']:,} with warnings only",
        f"{worst['']:,} clean",
    ]
    return f"{summary.rows:,} conversations: " + ", ".join(parts)


def print_report(summary: Summary, console: Terminal) -> None:
    """Prints the report for a terminal."""
    console.print(headline(summary), style="bold")
    console.print("Formats: " + _formats(summary), style="dim")
    if not summary.findings:
        return
    table = Table("severity", "check", "kind")
    table.add_column("findings", justify="right")
    table.add_column("conversations", justify="right")
    for kind in summary.kinds():
        counts = (f"{summary.findings[kind]:,}", f"{summary.rows_with[kind]:,}")
        table.add_row(*map(escape, kind), *counts, style=_STYLES[kind[0]])
    console.print(table)
    for kind in summary.kinds():
        for row, finding in summary.examples[kind]:
            console.print(f"[{_STYLES[kind[0]]}]{kind[0]:<7}[/] {escape(_example(row, finding))}", soft_wrap=True)
    for severity in dict.fromkeys(kind[0] for kind in summary.kinds()):
        console.print(f"{severity}: {_MEANS[severity]}", style="dim")


def as_markdown(summary: Summary) -> str:
    """The report for a pull request: a table, and examples folded below it."""
    return "\n".join(_markdown(summary))


def _markdown(summary: Summary) -> Iterator[str]:
    yield f"### `gem check`: {headline(summary)}"
    yield ""
    yield f"Formats: {_formats(summary)}."
    if not summary.findings:
        return
    yield ""
    yield "| severity | check | kind | findings | conversations |"
    yield "|---|---|---|---:|---:|"
    for kind in summary.kinds():
        yield f"| {' | '.join(kind)} | {summary.findings[kind]:,} | {summary.rows_with[kind]:,} |"
    yield ""
    yield "<details><summary>Examples</summary>"
    yield ""
    for kind in summary.kinds():
        for row, finding in summary.examples[kind]:
            yield f"- **{finding.severity}** {_code(_example(row, finding))}"
    yield ""
    yield "</details>"


def _formats(summary: Summary) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in summary.formats.most_common())


def _example(row: CheckedRow, finding: RowFinding) -> str:
    named = "" if row.id == row.origin else f" ({row.id})"
    place = "" if finding.message is None else f" message {finding.message}"
    path = f" {finding.path}" if finding.path else ""
    return visible(f"{row.origin}{named}{place}{path} {finding.check}/{finding.kind}: {finding.detail[:_LONGEST]}")


def _code(text: str) -> str:
    """As Markdown code, which renders nothing inside: the fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in "".join(sign if sign == "`" else " " for sign in text).split()), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"`{text}`"
