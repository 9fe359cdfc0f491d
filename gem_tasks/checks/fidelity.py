"""Whether tools, steps and rules trace back to the segment.

The paper's refinement never sees the source and alters its limits; here everything attributed to the text must resemble
a sentence of it. `traces` returns the spans for lineage. Something without resemblance is a warning, because good
paraphrases share few words; a number missing from the text is reported separately: numbers have no synonyms.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.case import Case, Evidence
from gem_tasks.checks.reading.numbers import Quantities, converted
from gem_tasks.checks.reading.said import content_stems, stem
from gem_tasks.checks.reading.source import Trace, rules, source
from gem_tasks.checks.reading.verbs import READS, words
from gem_tasks.domain.base import Json
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.workflow import ToolSpec, Workflow

CHECK = "fidelity"

_STEP = 0.34
"""Share of a step's words that its sentence must have; paraphrases of real models lie around one half."""
_TRIVIAL = frozenset({0.0, 1.0, 2.0, 100.0})
"""Numbers that are part of grammar ("one of", "both") or of percentages."""
_GENERIC = READS | frozenset(
    "create update set add change make post delete remove record records item items id".split()
)
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxItems")
_PAGING = {"limit", "page", "offset", "max_results", "page_size", "top_k", "per_page"}


def traces(evidence: Evidence, system: str = "") -> tuple[Trace, ...]:
    """Spans that the workflow's tools and steps and the system turn's lines come from; empty without a text."""
    if evidence.text is None:
        return ()
    read = source(evidence.text)
    found: list[Trace] = []
    if evidence.extraction:
        workflow = evidence.extraction.workflows[0]
        found += [read.trace(f"tool:{tool.name}", _about(tool)) for tool in workflow.tools]
        found += [read.trace(f"step:{at}", content_stems(step)) for at, step in enumerate(workflow.steps)]
    found += [read.trace(f"rule:{at}", rule.stems) for at, rule in enumerate(rules(system))]
    return tuple(found)


def check(case: Case) -> Iterator[Finding]:
    """Findings for numbers missing from the text, and for tools and steps that resemble nothing in it."""
    text, extraction = case.evidence.text, case.evidence.extraction
    if text is None:
        return
    known = source(text).numbers | source(text).named_numbers | _TRIVIAL
    stated = _technical(case)
    for rule in rules(case.system):
        if strange := rule.numbers - known:
            shown = ", ".join(f"{number:g}" for number in sorted(strange))
            technical = strange <= stated
            fault = Fault.TOOL_NUMBER if technical else Fault.NUMBER
            yield finding(fault, f"{shown} is not in the text: {rule.text[:120]}", 0)
    if extraction:
        yield from _workflow(extraction.workflows[0], text)


def named_in(text: str, names: Iterable[str]) -> float:
    """Share of the words in names of tools that the text has, too, without generic ones; 1 if there are none."""
    own = {stem(word) for name in names for word in words(name) if word not in _GENERIC}
    return len(own & source(text).stems) / len(own) if own else 1.0


def _workflow(workflow: Workflow, text: str) -> Iterator[Finding]:
    read = source(text)
    known, said = read.numbers | _TRIVIAL, Quantities(read.numbers)
    for at, step in enumerate(workflow.steps):
        stems = content_stems(step)
        if stems and read.best(stems)[0] < _STEP:
            yield finding(Fault.STEP, f"step {at} resembles no sentence of the text: {step[:120]}")
    for tool in workflow.tools:
        own = {stem(word) for word in words(tool.name) if word not in _GENERIC}
        if own and not own & read.stems:
            yield finding(Fault.TOOL, f"nothing in the text is about {tool.name}")
        for path, keyword, limit in _limits(tool):
            if limit not in known and not converted(limit, said):
                yield finding(Fault.SCHEMA_LIMIT, f"{tool.name}: {keyword} {limit:g} is not in the text", path=path)


def _technical(case: Case) -> set[float]:
    """Bounds of the tools' own schemas: a system turn may state how the added tools work."""
    return {limit for tool in case.trajectory.tools for _, _, limit in _limits(tool, paging=True)}


def _about(tool: ToolSpec) -> frozenset[str]:
    return content_stems(tool.description) | {stem(word) for word in words(tool.name) if word not in _GENERIC}


def _limits(tool: ToolSpec, *, paging: bool = False) -> Iterator[tuple[str, str, float]]:
    """Numeric bounds of a tool's parameters, `(json path, keyword, bound)`; those of paging only if requested."""
    found = tool.parameters.get("properties")
    for name, schema in (cast(Json, found) if isinstance(found, dict) else {}).items():
        if not isinstance(schema, dict) or (name in _PAGING and not paging):
            continue
        for keyword in _BOUNDS:
            limit: Any = cast(Json, schema).get(keyword)
            if isinstance(limit, int | float) and not isinstance(limit, bool):
                yield f"$.properties.{name}.{keyword}", keyword, limit
