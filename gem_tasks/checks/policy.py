"""What the text allows holds for every call that succeeded.

The paper's own printed sample accepts a 54x74 sheet against a stated 60x70 maximum; nothing in its pipeline looks.
Limits live in the extraction's schemas, order in its `requires`; the refinement may rewrite tools and system turn, so
both are held against the extraction and the segment, never against the refined version of themselves.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

from gem_tasks.checks.case import Case, Exchange, scalars
from gem_tasks.checks.said import stem
from gem_tasks.checks.schema import LIMITS, faults_by_keyword
from gem_tasks.checks.source import Rule, rules, source
from gem_tasks.checks.verbs import words
from gem_tasks.domain.base import Json
from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.workflow import Requirement, ToolSpec

CHECK = "policy"

_RESEMBLES = 0.6
"""Share of a rule's words that a sentence of the text must have to be the same rule."""
_MIN_WORDS = 4
_TRIVIAL = frozenset({0.0, 1.0})
_UPPER = re.compile(
    r"\b(?:at most|no more than|not more than|up to|a maximum of|maximum(?: of| is|:)?|max\.?|not exceed|cannot exceed"
    r"|must not exceed|no longer than|below|under|less than|höchstens|maximal)\s+(\d[\d,.]*)\s*([A-Za-z%€$]+)?",
    re.IGNORECASE,
)
_LOWER = re.compile(
    r"\b(?:at least|no less than|not less than|no fewer than|a minimum of|minimum(?: of| is|:)?|min\.?|mindestens)"
    r"\s+(\d[\d,.]*)\s*([A-Za-z%€$]+)?",
    re.IGNORECASE,
)


def check(case: Case) -> Iterator[Finding]:
    """Findings for broken order, broken limits, and a system turn that contradicts the text."""
    extraction = case.evidence.extraction
    if extraction:
        workflow = extraction.workflows[0]
        yield from _order(case, workflow.requires)
        yield from _limits(case, {tool.name: tool for tool in workflow.tools})
    yield from _stated_bounds(case)
    if case.evidence.text is not None:
        yield from _contradicted(case, case.evidence.text)


def _order(case: Case, requires: tuple[Requirement, ...]) -> Iterator[Finding]:
    """`requires`: a tool succeeds only after another has, in an earlier turn."""
    first: dict[str, int] = {}
    for exchange in case.exchanges:
        if not exchange.failed and exchange.answer_index is not None:
            first.setdefault(exchange.call.name, exchange.answer_index)
    for exchange in case.exchanges:
        if exchange.failed:
            continue
        for pair in requires:
            if pair.tool != exchange.call.name or pair.after not in case.tools or pair.after == pair.tool:
                continue
            if first.get(pair.after, exchange.index) >= exchange.index:
                detail = f"{pair.tool} succeeds before {pair.after}, which the text demands first"
                yield _finding("order", detail, exchange)


def _limits(case: Case, original: dict[str, ToolSpec]) -> Iterator[Finding]:
    """Limits of the extraction's schemas, where the refined tool has other ones."""
    for tool in case.trajectory.tools:
        before = original.get(tool.name)
        if before and before.canonical_parameters != tool.canonical_parameters:
            yield from _loosened(before, tool)
    for exchange in case.exchanges:
        before, now = original.get(exchange.call.name), case.tools.get(exchange.call.name)
        if exchange.failed or not before or (now and before.canonical_parameters == now.canonical_parameters):
            continue
        for keyword, path, fault in faults_by_keyword(before, exchange.call.arguments):
            if keyword in LIMITS:
                yield _finding("limit", f"{before.name} succeeds against the text: {fault}", exchange, path)


def _loosened(before: ToolSpec, now: ToolSpec) -> Iterator[Finding]:
    """A limit of the text that the refined tool no longer has, or has otherwise."""
    old, new = _properties(before), _properties(now)
    for name in sorted(set(old) & set(new)):
        for keyword in sorted(LIMITS & set(old[name])):
            limit = old[name][keyword]
            if keyword in new[name] and not _tighter(keyword, limit, new[name][keyword]):
                detail = f"{now.name}.{name}: {keyword} {_show(limit)} of the text became {_show(new[name][keyword])}"
                yield Finding(
                    check=CHECK, severity=Severity.ERROR, kind="limit_altered", detail=detail,
                    json_path=f"$.properties.{name}.{keyword}",
                )  # fmt: skip
            elif keyword not in new[name] and keyword not in ("minLength", "maxLength", "format"):
                detail = f"{now.name}.{name}: {keyword} {_show(limit)} of the text is gone"
                yield Finding(
                    check=CHECK, severity=Severity.WARNING, kind="limit_dropped", detail=detail,
                    json_path=f"$.properties.{name}",
                )  # fmt: skip


def _tighter(keyword: str, old: Any, new: Any) -> bool:
    """Whether the new limit allows nothing that the old one forbade."""
    if isinstance(old, list) and isinstance(new, list):
        return all(option in old for option in cast("list[Any]", new))
    if isinstance(old, int | float) and isinstance(new, int | float) and keyword not in ("const", "multipleOf"):
        return new <= old if "ax" in keyword else new >= old
    return bool(old == new)


def _properties(tool: ToolSpec) -> dict[str, Json]:
    found = tool.parameters.get("properties")
    known = cast(Json, found) if isinstance(found, dict) else {}
    return {name: cast(Json, schema) for name, schema in known.items() if isinstance(schema, dict)}


def _stated_bounds(case: Case) -> Iterator[Finding]:
    """Bounds that only the words of the system turn state. Which argument they are about is a guess: for the judge."""
    stated = [bound for rule in rules(case.system) if rule.numbers for bound in _bounds(rule)]
    if not stated:
        return
    for exchange in case.exchanges:
        if exchange.failed:
            continue
        about = {stem(word) for word in words(exchange.call.name)}
        for path, key, value in scalars(exchange.call.arguments):
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            name = frozenset(stem(word) for word in words(key))
            for upper, limit, unit, stems in stated:
                ours = (unit in name and about & stems) or name <= stems
                if ours and (value > limit if upper else value < limit):
                    detail = f"{exchange.call.name}.{key[:60]} is {value}, the system turn says {limit:g}"
                    yield _finding("stated_bound", detail, exchange, path, unsettled=True)


def _bounds(rule: Rule) -> Iterator[tuple[bool, float, str, frozenset[str]]]:
    """(upper, limit, stem of the unit, stems of the sentence)."""
    for upper, pattern in ((True, _UPPER), (False, _LOWER)):
        for match in pattern.finditer(rule.text):
            try:
                limit = float(match[1].rstrip(".,").replace(",", ""))
            except ValueError:
                continue
            yield upper, limit, stem((match[2] or "").lower()), rule.stems


def _contradicted(case: Case, text: str) -> Iterator[Finding]:
    for fault, certain in _contradictions(case.system, text):
        yield Finding(
            check=CHECK,
            severity=Severity.ERROR if certain else Severity.WARNING,
            kind="contradicts_text",
            unsettled=not certain,
            detail=fault,
            message_index=0,
        )


@lru_cache(maxsize=64)
def _contradictions(system: str, text: str) -> tuple[tuple[str, bool], ...]:
    """Rules that stand in the text with other numbers; certain when the text has such a number nowhere."""
    read, found = source(text), list[tuple[str, bool]]()
    for rule in rules(system):
        if rule.numbers and (quoted := read.misquoted(rule.text)):
            found.append((f"the rule says {quoted[0]} where the text says {quoted[1]}: {rule.text[:120]}", True))
            continue
        if not rule.numbers - _TRIVIAL or len(rule.stems) < _MIN_WORDS:
            continue
        score, place = read.best(rule.stems)
        theirs = read.around(place) if place >= 0 else frozenset[float]()
        ours = rule.numbers - theirs - _TRIVIAL
        missing = read.sentences[place].numbers - rule.numbers - _TRIVIAL if place >= 0 else frozenset[float]()
        if score >= _RESEMBLES and ours and missing:
            shown = ", ".join(f"{number:g}" for number in sorted(ours))
            said = ", ".join(f"{number:g}" for number in sorted(missing))
            found.append(
                (f"the rule says {shown} where the text says {said}: {rule.text[:120]}", bool(ours - read.numbers))
            )
    return tuple(found)


def _show(value: Any) -> str:
    return str(value)[:60]


def _finding(kind: str, detail: str, exchange: Exchange, path: str = "", *, unsettled: bool = False) -> Finding:
    return Finding(
        check=CHECK,
        severity=Severity.WARNING if unsettled else Severity.ERROR,
        kind=kind,
        detail=detail[:300],
        message_index=exchange.index,
        json_path=path,
        unsettled=unsettled,
    )
