"""The report on a sample against an API, as Markdown for a reader who decides whether to trust the data."""

from collections.abc import Iterator, Sequence

from gem_tasks.domain.interval import wilson
from gem_tasks.live_apis.figures import Figures, OfText, Report
from gem_tasks.visible import visible

_FEW = 20
"""Calls of mapped tools below which a share says little."""
_GOOD, _POOR = 0.9, 0.5
_COINCIDENCE = 0.2
"""Share of mapped tools below which most matches proved wrong in a measurement (docs/live-apis.md)."""
_EXAMPLES = 3
_MOST_FINDINGS = 50
_MOST_TOOLS = 100
_CAUSES = {
    "unmapped_tool": "no operation of the API matches the tool",
    "missing_argument": "the operation needs an argument that the call does not give",
    "missing_field": "an object lacks a field that the operation needs",
    "wrong_type": "a value has another type",
    "not_in_enum": "a value is not one of those that the operation knows",
    "wrong_format": "a value is written in another format",
    "out_of_range": "a value is too large, too small, too long, or too short",
    "unknown_field": "an object has a field that the operation does not know",
    "invalid_argument": "a value fits none of the operation's alternatives",
    "write_not_allowed": "not sent: the call may change something (`--allow-writes`)",
    "call_limit": "not sent: the limit of calls is reached (`--max-calls`)",
    "unsupported": "not sent: the operation needs something that GEM cannot send",
    "unsafe_path": "not sent: a value could lead to another path",
    "gave_up": "not sent: the API does not answer",
    "timeout": "the API took too long",
    "connection": "the connection failed",
    "redirect": "the API redirected the call, and GEM does not follow",
    "not_an_api": "the answer is a page, not data",
    "answer_too_large": "the answer is too large",
    "http_400": "the API found the request faulty", "http_401": "the key is missing or wrong",
    "http_403": "the key may not do this", "http_404": "the API does not know the thing",
    "http_409": "the thing is in another state", "http_422": "the API found the request faulty",
    "http_429": "too many calls",
    "tool_error": "the MCP server reports an error", "mcp_error": "the MCP server failed",
}  # fmt: skip


def verdict(report: Report) -> str:
    """One paragraph: what the figures say about the data, and what they do not."""
    total = report.total
    mapped = f"{total.mapped_tools} of {total.tools} tools have a counterpart among the {report.operations} operations"
    if not total.mapped_calls:
        return (
            f"{mapped} of {report.api}, and no call is to one of them: this API says nothing about these conversations."
        )
    valid = (
        f"Of {total.mapped_calls} calls to them, {_share(total.valid, total.mapped_calls)} fit the operation's schema"
    )
    live = f"; of {total.sent} sent, {_share(total.succeeded, total.sent)} succeeded" if total.sent else ""
    causes = [cause for cause in total.causes if cause not in ("", "unmapped_tool", "write_not_allowed")]
    most = f" Most often, {said(causes[0])} ({total.causes[causes[0]]})." if causes else ""
    return f"{mapped} of {report.api}. {_coincidence(total)}{valid}{live}. {_judged(total)}{most}"


def said(cause: str) -> str:
    """A cause in words."""
    return _CAUSES.get(cause, f"the API answered with status {cause[5:]}" if cause.startswith("http_") else cause)


def markdown(report: Report) -> str:
    """The whole report."""
    lines = [
        f"# {_cell(report.api)} and {report.trajectories} conversations",
        "",
        _cell(verdict(report)),
        "",
        "A tool without a counterpart is no fault of the data: the API may be about something else. A call that does"
        " not fit shows where a real API wants more, or otherwise, than the text says.",
        *_texts(report.texts),
        *_causes(report),
        *_findings(report),
        *_tools(report),
        *_unusable(report),
        *_again(report),
    ]
    return "\n".join(lines) + "\n"


def _coincidence(total: Figures) -> str:
    few = total.mapped_tools < _COINCIDENCE * total.tools
    return "So few may be coincidences: read the table of tools, and correct it with `--mapping`. " if few else ""


def _judged(total: Figures) -> str:
    if total.mapped_calls < _FEW:
        return f"Fewer than {_FEW} calls: this is an example, not a measurement."
    share = total.valid / total.mapped_calls
    if share >= _GOOD:
        return "The calls are such as this API takes."
    return "Many calls would need other arguments." if share >= _POOR else "Most calls would need other arguments."


def _texts(texts: Sequence[OfText]) -> Iterator[str]:
    yield from ("", "## By text", "")
    yield "| text | tools | mapped | calls | to mapped tools | valid | sent | succeeded | most frequent cause |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for each in texts:
        causes = sorted(each.causes.items(), key=lambda row: row[0] == "unmapped_tool")
        cause = f"{causes[0][0]} ({causes[0][1]})" if causes else ""
        name = f"{each.text} {each.uri}".strip()
        yield (
            f"| {_cell(name)} | {each.tools} | {each.mapped_tools} | {each.calls} | {each.mapped_calls} |"
            f" {each.valid} | {each.sent} | {each.succeeded} | {_cell(cause)} |"
        )


def _causes(report: Report) -> Iterator[str]:
    yield from (
        "",
        "## Why calls did not fit or failed",
        "",
        "| cause | calls | meaning | examples |",
        "|---|---|---|---|",
    )
    for cause, count in report.total.causes.items():
        details = [each.detail for each in report.outcomes if each.reason == cause and not each.meant_to_fail]
        examples = "<br>".join(_cell(each[:200]) for each in list(dict.fromkeys(details))[:_EXAMPLES])
        yield f"| {_cell(cause)} | {count} | {_cell(said(cause))} | {examples} |"
    total = report.total
    yield ""
    yield (
        f"Not counted: {total.meant_to_fail} calls that fail in the conversation, too;"
        f" {total.failed_as_meant} of them do here as well."
    )


def _findings(report: Report) -> Iterator[str]:
    yield from ("", "## What the API wants", "")
    if not report.findings:
        yield "Nothing else than the tools give."
        return
    yield from ("| tool | kind | finding | calls | conversations |", "|---|---|---|---|---|")
    grouped: dict[tuple[str, str, str], list[int]] = {}
    details: dict[tuple[str, str, str], str] = {}
    for each in report.findings:
        key = (each.tool, each.kind, each.parameter)
        grouped.setdefault(key, []).append(each.calls)
        details.setdefault(key, each.detail)
    ranked = sorted(grouped, key=lambda key: (key[1] == "no_counterpart", -sum(grouped[key]), key))
    for key in ranked[:_MOST_FINDINGS]:
        yield (
            f"| {_cell(key[0])} | {key[1]} | {_cell(details[key][:300])} | {sum(grouped[key])} | {len(grouped[key])} |"
        )
    if len(ranked) > _MOST_FINDINGS:
        yield from ("", f"{len(ranked) - _MOST_FINDINGS} more are in the JSON.")


def _tools(report: Report) -> Iterator[str]:
    yield from ("", "## Tools", "")
    yield "| tool | operation | score | calls | valid | succeeded |"
    yield "|---|---|---|---|---|---|"
    for each in report.tools[:_MOST_TOOLS]:
        match = each.match
        near = match.operation or f"none; closest: {match.runner_up or 'none'}"
        how = "by hand" if match.by_hand else f"{match.score:.2f}"
        yield f"| {_cell(match.tool)} | {_cell(near)} | {how} | {each.calls} | {each.valid} | {each.succeeded} |"
    if len(report.tools) > _MOST_TOOLS:
        yield from ("", f"{len(report.tools) - _MOST_TOOLS} more are in the JSON.")


def _unusable(report: Report) -> Iterator[str]:
    if report.unusable:
        yield from ("", "## Not used of the description", "")
        yield from (f"- {_cell(name)}: {_cell(why)}" for name, why in list(report.unusable.items())[:_MOST_FINDINGS])


def _again(report: Report) -> Iterator[str]:
    source = report.source
    yield from ("", "## Again", "", "    " + visible(source.command), "")
    yield (
        f"{_cell(report.api)} {_cell(report.api_version)}, description SHA-256 {report.sha256 or 'none'};"
        f" trajectories of {_cell(source.trajectories)}, {source.sample} drawn with seed {source.seed}; {report.mode}."
    )


def _share(hits: int, total: int) -> str:
    low, high = wilson(hits, total)
    return f"{hits} ({hits / total:.0%}; 95 %: {low:.0%} to {high:.0%})"


def _cell(text: str) -> str:
    """Text of a description or a model: one line, without Markdown or HTML."""
    flat = " ".join(visible(text).split())
    for char in "\\`*_[]<>|#&~":
        flat = flat.replace(char, f"\\{char}")
    return flat
