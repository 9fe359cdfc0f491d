"""Numbers of unknown origin: neither said, converted, counted nor computed, and not the assistant's to choose."""

import math
import re

from gem_tasks.checks.faults import Fault
from gem_tasks.checks.grounding.grounds import Grounds
from gem_tasks.checks.reading.arguments import Leaf
from gem_tasks.checks.reading.numbers import computed, converted, known
from gem_tasks.checks.reading.verbs import words

_QUANTITY = re.compile(r"[$€£]?\s?([-+]?\d[\d,.]*)\s?(%|[a-zA-Zµ°€$£]{0,12})(?:\s(?:per|/)\s?\w+)?")
_PAGING = frozenset(
    """
    limit page offset top max results size per skip k n
    """.split()
)
_ORDERING = frozenset(
    """
    position index rank step order line sequence priority level
    """.split()
)
_AGGREGATE = frozenset(
    """
    total amount sum balance remaining difference refund subtotal cost price fee quantity count duration new
    minutes hours days nights budget rate value payment discount weight volume area
    """.split()
)
_MOST_POSITION = 20
"""Highest position, rank or priority that the assistant may choose."""
_MOST_PAGING = 1000
"""Largest page size that the assistant may choose."""


def number_fault(leaf: Leaf, grounds: Grounds) -> Fault | None:
    """The fault of a number or truth value."""
    try:
        value = float(leaf.value)
    except OverflowError:
        return Fault.UNSOURCED_NUMBER
    name = set(words(leaf.name))
    if not math.isfinite(value) or value in (0, 1) or _is_free(value, name):
        return None
    if known(value, grounds.told.numbers()) or grounds.given.spelled(_plain(leaf.value)):
        return None
    said = grounds.given.numbers()
    if known(value, said):
        return None
    proposed = grounds.proposed.numbers()
    if known(value, proposed) or converted(value, said) or _counted(value, name, grounds):
        return None
    if name & _AGGREGATE and computed(value, grounds.recent_numbers()):
        return None
    return Fault.UNSOURCED_NUMBER


def is_known_quantity(text: str, grounds: Grounds) -> bool:
    """Whether a text is a number, with or without a unit, and that number was said."""
    quantity = _QUANTITY.fullmatch(text)
    return quantity is not None and is_known_number(quantity[1], grounds)


def is_known_number(digits: str, grounds: Grounds) -> bool:
    """Whether a number written in digits (`1,200.50`) was said or proposed, also in another unit."""
    try:
        value = float(digits.replace(",", ""))
    except ValueError:
        return False
    said = grounds.given.numbers()
    return known(value, said) or converted(value, said) or known(value, grounds.proposed.numbers())


def _is_free(value: float, name: set[str]) -> bool:
    """Whether the assistant may choose the number: the size of a page, a position in an order."""
    paging = name & _PAGING and name <= _PAGING and value <= _MOST_PAGING
    return bool(paging or (name & _ORDERING and value <= _MOST_POSITION))


def _plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _counted(value: float, name: set[str], grounds: Grounds) -> bool:
    return bool(name & (_AGGREGATE | _PAGING)) and value in grounds.lengths
