"""How well a sample fits a live API, in figures: in all, by text and by tool."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.live_apis.findings import Finding, Problem
from gem_tasks.live_apis.match import Match
from gem_tasks.live_apis.operation import Api
from gem_tasks.live_apis.sample import Sampled

Mode = Literal["dry-run", "sandbox"]
ToolKey = tuple[str, str]
"""Name and parameters of a tool."""


class CallOutcome(Value):
    """The result of one call."""

    trajectory_id: str
    tool: str
    operation: str | None = None
    valid: bool = False
    """Whether the operation's schema accepts the arguments."""
    sent: bool = False
    succeeded: bool = False
    reason: str = ""
    """Why it is not valid, was not sent, or failed: `unmapped_tool`, `missing_argument`, `http_409`, …"""
    detail: str = ""
    problems: tuple[Problem, ...] = ()
    meant_to_fail: bool = False
    """Whether the call's result in the conversation is an error."""


class Figures(Value):
    """Counts. Those of calls are without the calls that fail in the conversation, too."""

    tools: int
    """Distinct definitions, by name and parameters."""
    mapped_tools: int
    calls: int
    mapped_calls: int
    valid: int
    sent: int
    succeeded: int
    causes: dict[str, int]
    """Reasons of calls that are not valid, were not sent, or failed; most frequent first."""
    meant_to_fail: int
    failed_as_meant: int


class OfText(Figures):
    """Figures of one text's conversations."""

    text: str
    """Segment; the conversation if the text is unknown."""
    uri: str


class OfTool(Figures):
    """Figures of one tool."""

    match: Match


class Source(Value):
    """Where the report comes from."""

    trajectories: str = ""
    sample: int = 0
    seed: int = 0
    command: str = ""
    """Makes the report again."""


class Report(Value):
    """A sample against an API."""

    mode: Mode
    api: str
    api_version: str
    sha256: str
    """Of the API's description."""
    operations: int
    unusable: dict[str, str]
    source: Source = Field(default_factory=Source)
    trajectories: int
    total: Figures
    texts: tuple[OfText, ...]
    tools: tuple[OfTool, ...]
    """Most called first."""
    findings: tuple[Finding, ...]
    outcomes: tuple[CallOutcome, ...]


def report_of(
    api: Api,
    mode: Mode,
    sample: Sequence[Sampled],
    matches: Mapping[ToolKey, Match],
    outcomes: Sequence[CallOutcome],
    findings: Sequence[Finding],
    source: Source | None,
) -> Report:
    """The report on what `ground` found."""
    return Report(
        mode=mode,
        api=api.title,
        api_version=api.version,
        sha256=api.sha256,
        operations=len(api.operations),
        unusable=api.unusable,
        source=source or Source(),
        trajectories=len(sample),
        total=_figures(matches.values(), outcomes),
        texts=tuple(_of_texts(sample, matches, outcomes)),
        tools=tuple(_of_tools(sample, matches, outcomes)),
        findings=tuple(findings),
        outcomes=tuple(outcomes),
    )


def _figures(matches: Iterable[Match], outcomes: Sequence[CallOutcome]) -> Figures:
    known = list(matches)
    wanted = [each for each in outcomes if not each.meant_to_fail]
    others = [each for each in outcomes if each.meant_to_fail]
    return Figures(
        tools=len(known),
        mapped_tools=sum(each.operation is not None for each in known),
        calls=len(wanted),
        mapped_calls=sum(each.operation is not None for each in wanted),
        valid=sum(each.valid for each in wanted),
        sent=sum(each.sent for each in wanted),
        succeeded=sum(each.succeeded for each in wanted),
        causes=dict(Counter(each.reason for each in wanted if each.reason).most_common()),
        meant_to_fail=len(others),
        failed_as_meant=sum(not each.valid or (each.sent and not each.succeeded) for each in others),
    )


def _of_texts(
    sample: Sequence[Sampled], matches: Mapping[ToolKey, Match], outcomes: Sequence[CallOutcome]
) -> Iterable[OfText]:
    rows: defaultdict[str, list[Sampled]] = defaultdict(list)
    for row in sample:
        rows[row.segment_id or row.trajectory_id].append(row)
    for text, of_text in rows.items():
        ids = {row.trajectory_id for row in of_text}
        keys = {(tool.name, tool.canonical_parameters) for row in of_text for tool in row.trajectory.tools}
        found = _figures((matches[key] for key in keys), [each for each in outcomes if each.trajectory_id in ids])
        yield OfText(**found.model_dump(), text=text, uri=of_text[0].uri)


def _of_tools(
    sample: Sequence[Sampled], matches: Mapping[ToolKey, Match], outcomes: Sequence[CallOutcome]
) -> list[OfTool]:
    """A conversation's calls belong to its own definition of the tool."""
    defined = {
        (row.trajectory_id, tool.name): (tool.name, tool.canonical_parameters)
        for row in sample
        for tool in reversed(row.trajectory.tools)
    }
    by_key: defaultdict[ToolKey, list[CallOutcome]] = defaultdict(list)
    for each in outcomes:
        if key := defined.get((each.trajectory_id, each.tool)):
            by_key[key].append(each)
    found = [OfTool(**_figures([match], by_key[key]).model_dump(), match=match) for key, match in matches.items()]
    return sorted(found, key=lambda each: (-each.mapped_tools, -each.calls, each.match.tool))
