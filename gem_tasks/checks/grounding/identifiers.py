"""Identifiers and other words with digits of unknown origin; only of identifiers can that be proved."""

import re

from gem_tasks.checks.faults import Fault
from gem_tasks.checks.grounding.grounds import Grounds
from gem_tasks.checks.reading.arguments import Leaf
from gem_tasks.checks.reading.entities import is_id_key, is_traffic_key
from gem_tasks.checks.reading.verbs import verb, words

_CODE = re.compile(r"[^\s\d]*+\d\S*+")
_RUNS = re.compile(r"[^\W\d_]+|\d+")
"""Letters or digits in a row."""
_LONGEST_CODE = 1000
"""Longest code that may have been combined from parts."""
_SURE_IDS = frozenset("id uuid guid number no sku isbn iban".split())
_CREATES = frozenset("create add register new open insert".split())
_MOST_DIGITS = 20
"""From this many digits on, a run of digits is not compared as a number."""


def is_code(text: str) -> bool:
    """Whether it is one word with a digit: an identifier, a code, a quantity with its unit, a file name."""
    return _CODE.fullmatch(text) is not None


def identifier_fault(leaf: Leaf, text: str, tool: str, grounds: Grounds) -> Fault | None:
    """The fault of an unknown identifier: no plain derivation leads to one.

    A rule may tell how to combine one (`ORD-4412` for order 4412), the creator of a thing may choose its number, the
    user may have agreed to a proposed one, and the assistant may invent a code or reference whose kind no result has
    shown.
    """
    if grounds.given.spelled(text):
        return None
    name, told = leaf.name, str(leaf.schema.get("description", ""))
    if not is_id_key(name) or is_traffic_key(name) or not (words(name)[-1] in _SURE_IDS or grounds.kinds.offered(name)):
        return Fault.UNSOURCED_CODE
    digits = [part for part in _RUNS.findall(text[:_LONGEST_CODE].casefold()) if part.isdecimal()]
    assembled = len(grounds.given.words(digits)) == len(digits)
    agreed = text in told or grounds.proposed.spelled(text)
    return Fault.ASSEMBLED_ID if assembled or agreed or _chooses(name, tool) else Fault.INVENTED_ID


def code_fault(text: str, grounds: Grounds) -> Fault | None:
    """The fault of a code in a field that does not name an identifier."""
    if grounds.given.spelled(text) or grounds.proposed.spelled(text):
        return None
    if len(text) > _LONGEST_CODE:
        return Fault.UNSOURCED_CODE
    parts = _RUNS.findall(text)
    numbers = grounds.given.numbers()
    loose = [part for part in parts if not (grounds.given.words([part.casefold()]) or _is_number(part, numbers))]
    return None if not loose and len(parts) > 1 else Fault.UNSOURCED_CODE


def _chooses(name: str, tool: str) -> bool:
    """Whether a call creates the thing that the field numbers: `create_invoice(invoice_number)`."""
    return verb(tool) in _CREATES and set(words(name)[:-1]) <= set(words(tool)[1:])


def _is_number(part: str, said: set[float]) -> bool:
    return part.isdecimal() and len(part) < _MOST_DIGITS and float(part) in said
