"""From the words of an instruction to the thing it works on: `the status of the old booking` → `booking`."""

import re
from collections import Counter
from collections.abc import Iterable

from offline_teacher.reading import english
from offline_teacher.reading.analyse import Step
from offline_teacher.reading.nouns import (
    ASPECTS,
    EMPTY_ADJECTIVES,
    ING_THINGS,
    KEEP_PARTICIPLES,
    NO_THINGS,
    SCREEN_NOUNS,
    SINGLETONS,
)
from offline_teacher.reading.words import NOUN_VERBS, OPERATIONS, singular

_STOP = re.compile(
    r"\b(?:in|on|at|to|for|from|with|by|into|onto|using|as|and|or|that|which|who|whose|where|when|if|then|so|until|unless|"
    r"before|after|through|via|between|is|are|was|be|must|should|can|will|it|them|they|you|there|how|what|whether|because|"
    r"about|under|over|per|against|within|without|but|while|up|out|off|down|than|again|once|during|during|upon|along|you've|"
    r"you're|has|have|not|i|we|does|do|did|like|such|instead|across|toward|towards|back)\b|[,.;:()\[\]\"“”/\\|=<>{}!?]|\d"
)
_WORD = re.compile(r"[a-z][a-z'-]*[a-z]")
_BETWEEN = re.compile(r"\b(?:in|on|at|to|for|from|with|by|and|or|of|as|using)\b")
_VERB_FIRST = re.compile(
    r"^\s*(?:how to\s+)?(?:\w+ing\s+|set(?:ting)? up\s+|(?:"
    + "|".join(OPERATIONS)
    + r")\s+|\w+\s+(?=(?:the|an?|your|new)\s))?"
)
_ARTICLE = re.compile(r"^\s*(?:the|a|an|this|your)\s+[a-z]+(?:\W|$)(?!s\b)", re.IGNORECASE)
_OWNER = re.compile(
    r"\b(?:of|for|to|on|from|into|with)\s+(?:the|this|that|each|every|all|your|a|an)\s+([a-z][a-z -]{2,40})"
)
_MOST_WORDS = 3
_MOST_LETTERS = 40
_ALSO_THINGS = frozenset(
    """order report record file group book request plan schedule label link issue refund return test log permit check
    lock call""".split()
)


def entity_of(words: str, *, sure: bool = False) -> str:
    """The thing an object phrase is about, singular and in snake_case; empty if it is nothing one could store.

    Args:
        words: the object of a verb, and what follows it.
        sure: it is known to be a thing, so it may look like a verb: `pick`.
    """
    sure = sure or bool(_ARTICLE.match(words))
    head, of, owner = words.strip().lower().partition(" of ")
    found = _nouns(head)
    if of and found and (singular(found[-1]) in ASPECTS or singular(found[-1]) in NO_THINGS) and not _STOP.search(head):
        found = _nouns(owner) or found
    if not found or not _is_thing(found, sure=sure):
        return ""
    name = "_".join([*found[:-1], singular(found[-1])]).replace("-", "_").replace("'", "")
    return name if 3 <= len(name) <= _MOST_LETTERS else ""


def page_entity(name: str) -> str:
    """What a page is about: `Create Invoice` is about the invoice, `Purchase Orders` about the purchase order."""
    first, _, rest = name.strip().partition(" ")
    verb = first.lower() in OPERATIONS and first.lower() not in NOUN_VERBS | _ALSO_THINGS
    return entity_of(rest if verb and rest else name, sure=True)


def owners_of(words: str) -> list[str]:
    """Things that stand behind `of the`, `to the`, `for each`: what the object belongs or goes to."""
    return [entity for match in _OWNER.finditer(words.lower()) if (entity := entity_of(match[1]))]


def noun_phrase(words: str) -> str:
    """The words of the first noun phrase, without articles and the like."""
    return " ".join(_nouns(words.strip().lower()))


def is_aspect(words: str) -> bool:
    """Whether the phrase names but a side of something: its status, its details."""
    found = _nouns(words.strip().lower().partition(" of ")[0])
    return bool(found) and singular(found[-1]) in ASPECTS


def is_singleton(entity: str) -> bool:
    """`general_ledger_setup`: there is one, so nobody searches it."""
    return entity.rsplit("_", 1)[-1] in SINGLETONS


def spoken(entity: str) -> str:
    """`sales_order` as words."""
    return entity.replace("_", " ")


def many(entity: str) -> str:
    """`sales_order` to `sales_orders`."""
    return english.many(spoken(entity)).replace(" ", "_")


def topic_of(title: str, steps: Iterable[Step]) -> str:
    """The thing that most instructions are about; words of the title or a heading weigh more."""
    counts: Counter[str] = Counter()
    heading = " ".join(re.findall(r"[a-z]+", title.lower()))
    for step in steps:
        if entity := entity_of(step.rest):
            shown = spoken(entity)
            counts[entity] += 3 if shown in heading or shown in step.sentence.heading.lower() else 1
    if counts:
        return counts.most_common(1)[0][0]
    return next((entity for words in _BETWEEN.split(heading) if (entity := entity_of(_VERB_FIRST.sub("", words)))), "")


def _nouns(phrase: str) -> list[str]:
    """Words of the noun phrase at the beginning, without determiners, adverbs, participles and screen parts."""
    start = phrase.lstrip(" *\"“'`")
    stop = _STOP.search(start)
    words = _WORD.findall(start[: stop.start()] if stop else start)
    words = [word.removesuffix("'s").strip("'") for word in words if word.isascii()]
    kept = [word for word in words if word not in EMPTY_ADJECTIVES and not word.endswith("ly")]
    kept = [word for index, word in enumerate(kept) if index == len(kept) - 1 or not _is_participle(word)]
    while kept and singular(kept[-1]) in SCREEN_NOUNS:
        kept.pop()
    return kept[-_MOST_WORDS:]


def _is_participle(word: str) -> bool:
    return word.endswith("ed") and len(word) > 4 and word not in KEEP_PARTICIPLES


def _is_thing(found: list[str], *, sure: bool) -> bool:
    last = singular(found[-1])
    if len(last) < 3 or (last.endswith(("ing", "ed")) and last not in ING_THINGS):
        return False
    if len(found) == 1:
        return (
            last not in NO_THINGS and last not in ASPECTS and (sure or last not in OPERATIONS or last in _ALSO_THINGS)
        )
    return sure or found[0] not in OPERATIONS or found[0] in _ALSO_THINGS | NOUN_VERBS
