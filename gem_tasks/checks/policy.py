"""Whether every successful call keeps to what the text allows.

The paper's own printed sample accepts a 54x74 sheet against a stated 60x70 maximum; no step of its pipeline checks
that. Limits are in the extraction's schemas, order in its `requires`. The refinement may rewrite tools and system turn,
so both are compared with the extraction and the segment, never with their refined versions.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.reading.case import Case, Exchange, scalars
from gem_tasks.checks.reading.entities import is_id_key
from gem_tasks.checks.reading.said import content_stems, stem
from gem_tasks.checks.reading.source import Rule, rules, source
from gem_tasks.checks.reading.verbs import reads, words
from gem_tasks.checks.schema import LIMITS, faults_by_keyword
from gem_tasks.domain.base import Json
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.workflow import Requirement, ToolSpec
from gem_tasks.patterns import IgnoringCase

CHECK = "policy"

_RESEMBLES = 0.6
"""Share of a rule's words that a sentence of the text must have to be the same rule."""
_MIN_WORDS = 4
_MIN_QUOTED = 5
"""From this many different content words on, the same words are a quotation."""
_TRIVIAL = frozenset({0.0, 1.0})
_UPPER = IgnoringCase(
    r"\b(?:at most|no more than|not more than|up to|a maximum of|maximum(?: of| is|:)?|max\.?|not exceed|cannot exceed"
    r"|must not exceed|no longer than|below|under|less than|höchstens|maximal)\s+(\d[\d,.]*)\s*([A-Za-z%€$]+)?",
)
_LOWER = IgnoringCase(
    r"\b(?:at least|no less than|not less than|no fewer than|a minimum of|minimum(?: of| is|:)?|min\.?|mindestens)"
    r"\s+(\d[\d,.]*)\s*([A-Za-z%€$]+)?",
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
    """`requires`: a tool may succeed only after another has, in an earlier turn; reported once per pair.

    For the judge: the requirement may have been met before the conversation began, and it applies to one entity. Reads
    break no order; and if the required call comes later for another entity, it had been made for this one.
    """
    done = [exchange for exchange in case.exchanges if not exchange.failed and exchange.answer_index is not None]
    for pair in dict.fromkeys(requires):
        if pair.after not in case.tools or pair.after == pair.tool or reads(pair.tool):
            continue
        met = (each.answer_index or 0 for each in done if each.call.name == pair.after)
        before = min(met, default=len(case.messages))
        early = [each for each in done if each.call.name == pair.tool and each.index <= before]
        theirs = [_named(other) for other in case.exchanges if other.call.name == pair.after]
        first = next((each for each in early if not _for_another(each, theirs)), None)
        if first:
            detail = f"{pair.tool} succeeds before {pair.after}, which the extracted `requires` puts first"
            yield finding(Fault.ORDER, f"{detail}, unless that was so already{_step(case, pair)}", first.index)


def _for_another(exchange: Exchange, theirs: list[dict[str, str]]) -> bool:
    """Whether the required call comes only for other things: for this one it must have come before."""
    own = _named(exchange)
    return bool(theirs) and all(_differ(own, names) for names in theirs)


def _differ(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether two calls name different things of one kind."""
    shared = one.keys() & other.keys()
    return bool(shared) and all(one[name] != other[name] for name in shared)


def _named(exchange: Exchange) -> dict[str, str]:
    return {name: str(value) for _, name, value in scalars(exchange.call.arguments) if is_id_key(name)}


def _step(case: Case, pair: Requirement) -> str:
    """The workflow's step about the requirement, which the judge does not see otherwise."""
    workflow = case.evidence.extraction.workflows[0] if case.evidence.extraction else None
    wanted = {stem(word) for word in words(pair.after)}
    best = max(workflow.steps if workflow else (), key=lambda step: len(wanted & content_stems(step)), default="")
    return f' (step: "{best[:120]}")' if best else ""


def _limits(case: Case, original: dict[str, ToolSpec]) -> Iterator[Finding]:
    """Limits of the extraction's schemas, where the refined tool has different ones."""
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
                detail = f"{before.name} succeeds against the extracted schema: {fault}"
                yield finding(Fault.BEYOND_LIMIT, detail, exchange.index, path)


def _loosened(before: ToolSpec, now: ToolSpec) -> Iterator[Finding]:
    """A limit of the extraction that the refined tool has lost or changed.

    For the judge: the refinement may know another option, and the extraction may have invented the limit.
    """
    old, new = _properties(before), _properties(now)
    for name in sorted(set(old) & set(new)):
        for keyword in sorted(LIMITS & set(old[name])):
            limit, path = old[name][keyword], f"$.properties.{name}.{keyword}"
            if keyword in new[name] and not _tighter(keyword, limit, new[name][keyword]):
                became = _show(new[name][keyword])
                detail = f"{now.name}.{name}: {keyword} {_show(limit)} of the extraction became {became}"
                yield finding(Fault.LIMIT_ALTERED, detail, path=path)
            elif keyword not in new[name] and keyword not in ("minLength", "maxLength", "format"):
                detail = f"{now.name}.{name}: {keyword} {_show(limit)} of the extraction is gone"
                yield finding(Fault.LIMIT_DROPPED, detail, path=path)


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
    """Bounds that only the system turn's words state. Which argument they apply to is a guess: for the judge."""
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
                    yield finding(Fault.STATED_BOUND, detail, exchange.index, path)


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
    for fault, detail in _contradictions(case.system, text):
        yield finding(fault, detail, 0)


@lru_cache(maxsize=64)
def _contradictions(system: str, text: str) -> tuple[tuple[Fault, str], ...]:
    """Rules that the text has with other numbers: word for word, which is certain, or nearly so."""
    read, found = source(text), list[tuple[Fault, str]]()
    for rule in rules(system):
        if rule.numbers and (quoted := read.misquoted(rule.text)):
            detail = f"the rule says {quoted[0]} where the text says {quoted[1]}: {rule.text[:160]}"
            found.append((Fault.MISQUOTED if len(rule.stems) >= _MIN_QUOTED else Fault.CONTRADICTS_TEXT, detail))
            continue
        if not rule.numbers - _TRIVIAL or len(rule.stems) < _MIN_WORDS:
            continue
        score, place = read.best(rule.stems)
        theirs = read.around(place) if place >= 0 else frozenset[float]()
        ours = rule.numbers - theirs - _TRIVIAL - read.named_numbers
        missing = read.sentences[place].numbers - rule.numbers - _TRIVIAL if place >= 0 else frozenset[float]()
        if score >= _RESEMBLES and ours and missing:
            shown = ", ".join(f"{number:g}" for number in sorted(ours))
            said = ", ".join(f"{number:g}" for number in sorted(missing))
            detail = f"the rule says {shown} where the text says {said}: {rule.text[:160]}"
            found.append((Fault.CONTRADICTS_TEXT, detail))
    return tuple(found)


def _show(value: Any) -> str:
    return str(value)[:60]
