"""The origin of arguments: each value must have been said before, or follow plainly from what was said.

Hallucinated parameters are the first of the paper's three failure signatures, and the judge's rule R1. A value is
traced to the system turn, the user, an earlier tool result, or the schema (enum, const, default); or to a transparent
derivation: another format of number or date, another unit, case, concatenation, arithmetic, the length of a list, a day
counted from the one that the system turn names. Proposals of the assistant count once the user has answered them; for
identifiers they only turn the finding over to the judge, because repeating an invented one does not make it real.

Only identifiers, and addresses to which something is sent, can be proved to be invented: no reasoning leads to them.
Unexplained dates, numbers and words may still be inferred, and go to the judge. Values that only narrow a search
(search words, the ends of a period) are the assistant's choice, not facts.

There is one module per form of value: `numbers`, `dates`, `identifiers`, `addresses`, `words`. Each function returns
the fault of a value, or None if the value is traced.
"""

import json
from collections.abc import Iterator
from typing import Any

from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.grounding.addresses import (
    address_fault,
    is_address,
    is_known_phone_number,
    is_phone_number,
    phone_fault,
)
from gem_tasks.checks.grounding.dates import CLOCK, DATE, clock_fault, date_fault
from gem_tasks.checks.grounding.grounds import Grounds
from gem_tasks.checks.grounding.identifiers import code_fault, identifier_fault, is_code
from gem_tasks.checks.grounding.numbers import is_known_quantity, number_fault
from gem_tasks.checks.grounding.words import words_fault
from gem_tasks.checks.reading.arguments import Leaf, leaves
from gem_tasks.checks.reading.case import Case, Exchange
from gem_tasks.checks.reading.kinds import is_id_name
from gem_tasks.domain.finding import Finding

CHECK = "grounding"


def check(case: Case) -> Iterator[Finding]:
    """Findings for argument values that cannot be traced."""
    grounds = Grounds(case)
    exchanges: dict[int, list[Exchange]] = {}
    for exchange in case.exchanges:
        exchanges.setdefault(exchange.index, []).append(exchange)
    for index in range(len(case.messages)):
        for exchange in exchanges.get(index, []):
            tool = case.tools.get(exchange.call.name)
            for leaf in leaves(exchange.call.arguments, tool.parameters if tool else {}):
                yield from _leaf(leaf, exchange, grounds, case)
        grounds.hear(index)


def _leaf(leaf: Leaf, exchange: Exchange, grounds: Grounds, case: Case) -> Iterator[Finding]:
    if leaf.settled:
        return
    if isinstance(leaf.value, int | float):
        fault = number_fault(leaf, grounds)
    else:
        fault = _string_fault(leaf, str(leaf.value), exchange.call.name, grounds)
    if fault is None:
        other = grounds.kinds.other(leaf) if isinstance(leaf.value, str) else ""
        if other:
            yield _at(Fault.WRONG_SOURCE, f"{leaf.value!r} was returned as {other}, not as {leaf.name}", leaf, exchange)
        return
    detail = f"{json.dumps(leaf.value, ensure_ascii=False)[:120]} was not said before"
    if fault in _PREMATURE and _comes_later(leaf.value, exchange, case):
        yield _at(_PREMATURE[fault], f"{detail}: it is known only from a later result", leaf, exchange)
    else:
        yield _at(fault, detail, leaf, exchange)


_PREMATURE = {Fault.INVENTED_ID: Fault.PREMATURE_ID, Fault.UNSOURCED_CODE: Fault.PREMATURE}


def _at(fault: Fault, detail: str, leaf: Leaf, exchange: Exchange) -> Finding:
    return finding(fault, f"{exchange.call.name}.{leaf.name[:60]}: {detail[:200]}", exchange.index, leaf.path)


def _string_fault(leaf: Leaf, value: str, tool: str, grounds: Grounds) -> Fault | None:
    """The fault by the first form that the text matches."""
    text = value.strip()
    if not text or grounds.given.literally(text):
        return None
    if match := DATE.fullmatch(text):
        return date_fault(match, grounds)
    if match := CLOCK.fullmatch(text):
        return clock_fault(match, grounds)
    if is_id_name(leaf.name) and is_code(text):
        return identifier_fault(leaf, text, tool, grounds)
    if is_address(text):
        return address_fault(text, tool, grounds)
    if is_phone_number(text):
        if is_known_phone_number(text, grounds):
            return None
        if text.startswith("+"):
            return phone_fault(tool)
    if not is_id_name(leaf.name) and is_known_quantity(text, grounds):
        return None
    return code_fault(text, grounds) if is_code(text) else words_fault(leaf.name, text, tool, grounds)


def _comes_later(value: Any, exchange: Exchange, case: Case) -> bool:
    """Whether a later result contains the value, so that the call should have waited for it.

    The call's own answer does not count: systems echo their input.
    """
    wanted = json.dumps(value, ensure_ascii=False)
    later = range(exchange.index + 1, len(case.messages))
    return any(
        case.messages[at].role == "tool"
        and at != exchange.answer_index
        and wanted in (case.messages[at].content or "")
        and wanted not in case.asked.get(at, "")
        for at in later
    )
