"""The effect of a tool, by its name and description: whether it only reads, and whether it can be undone.

All models and API guides name tools `verb_noun`, so the verb is the best evidence. Unknown verbs count as writes: for
consistency a write excuses a change, so the trajectory gets the benefit of the doubt.
"""

import re
from functools import lru_cache

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.patterns import IgnoringCase

READS = frozenset(
    """
    get list search find fetch read view show lookup look query check retrieve describe count browse inspect preview
    verify validate compare calculate compute estimate quote filter select track monitor status summarize summarise
    download export authenticate login whoami ask suggest recommend test ping peek see open scan analyze analyse detect
    """.split()
)
FINAL = frozenset(
    """
    delete remove cancel close post pay charge refund transfer submit send publish void terminate erase wipe purge
    revoke deactivate dispose finalize finalise ship destroy drop withdraw discard reset format unsubscribe scrap
    """.split()
)
"""Commonly irreversible; a description can state it too."""
SETS = frozenset(
    """
    update set change edit modify rename move assign create register schedule put reschedule book configure
    patch replace upsert save record enable add enter
    """.split()
)
"""Writes whose arguments are the resulting values of fields."""
_TURNED = frozenset("get list search find fetch read create update delete cancel add remove".split())
_WRITES = FINAL | frozenset("create update add set change make edit move assign register book".split())

WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_IRREVERSIBLE = IgnoringCase(
    r"\b(?:irreversibl[ey]|permanent(?:ly)?|(?:cannot|can't|can not) be (?:undone|reversed))\b"
)
_IRREGULAR = {
    "send": "sent", "pay": "paid", "set": "set", "make": "made", "write": "written", "put": "put", "take": "taken",
    "give": "given", "withdraw": "withdrawn", "buy": "bought", "sell": "sold", "hold": "held", "reset": "reset",
    "undo": "undone", "build": "built", "lend": "lent", "begin": "begun", "shut": "shut", "split": "split",
}  # fmt: skip


_LONGEST_NAME = 1000
"""Longest part of a name that is read, in characters."""


@lru_cache(maxsize=8192)
def words(name: str) -> tuple[str, ...]:
    """`getLoanID`, `get_loan_id`, `get-loan-id` as `get loan id`."""
    return tuple(word.lower() for word in WORDS.findall(name[:_LONGEST_NAME]))


@lru_cache(maxsize=8192)
def verb(name: str) -> str:
    """The first word of a tool's name; the last one if the name is reversed (`orders.get`, `order_delete`)."""
    found = words(name)
    if not found:
        return ""
    return found[-1] if found[-1] in _TURNED and found[0] not in READS and found[0] not in _WRITES else found[0]


@lru_cache(maxsize=8192)
def reads(name: str) -> bool:
    """Whether the tool only reads."""
    return verb(name) in READS


def is_final(tool: ToolSpec) -> bool:
    """Whether the tool's effect cannot be undone, by name and description."""
    does = verb(tool.name)
    if not does or does in READS:
        return False
    return does in FINAL or says_irreversible(tool)


def says_irreversible(tool: ToolSpec) -> bool:
    """Whether the description says that it cannot be undone."""
    return bool(_IRREVERSIBLE.search(tool.description))


@lru_cache(maxsize=1024)
def past(word: str) -> str:
    """`renew` as `renewed`, `notify` as `notified`, `cancel` as `cancelled`; see `pasts` for spelling variants."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("e"):
        return word + "d"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ied"
    return word + "ed"


@lru_cache(maxsize=1024)
def pasts(word: str) -> frozenset[str]:
    """All spellings of the past participle: `cancel` is `canceled` or `cancelled`, `submit` is `submitted`."""
    doubled = {f"{word}{word[-1]}ed"} if re.search(r"[^aeiou][aeiou][bdglmnprt]$", word) else set[str]()
    return frozenset({past(word), *doubled})
