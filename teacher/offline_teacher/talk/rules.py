"""The rules of a text, and what somebody might want that they forbid."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from offline_teacher.reading import english
from offline_teacher.reading.analyse import Analysis
from offline_teacher.reading.words import OPERATIONS, words_of
from offline_teacher.talk.tools import Tool

MAX_RULES = 60
_NOT_BE = re.compile(
    r"^(?P<subject>(?:the |a |an |all |any |each |every |this |these )?[\w' -]{3,60}?)(?<!\s)\s++"
    r"(?:cannot|can't|can not|may not|must not|mustn't|should not|shouldn't)\s+be\s+(?P<rest>[^,;:()]{3,90})$",
    re.IGNORECASE,
)
_YOU_NOT = re.compile(
    r"^(?:[^,;:]{3,80},\s+)?(?:you (?:cannot|can't|can not|may not|must not|mustn't|should not|shouldn't)|do not|don't|"
    r"never)\s+(?P<rest>[a-z][^,;:()]{5,110})$",
    re.IGNORECASE,
)
_MUST_BE = re.compile(
    r"^(?P<subject>(?:the |a |an |all |any |each |every )?[\w' -]{3,60}?)(?<!\s)\s++must\s+(?:always |first )?be\s+"
    r"(?P<rest>[^,;:()]{3,90})$",
    re.IGNORECASE,
)
_YOU_MUST = re.compile(
    r"^(?:[^,;:]{3,80},\s+)?you (?:must|have to|need to|are required to)\s+(?:first |always |also )?"
    r"(?P<rest>[a-z][^,;:()]{5,110})$",
    re.IGNORECASE,
)
_SKIP = re.compile(r"\b(?:see|learn|more information|read more|click|refer)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """One numbered rule of the system turn."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A wish that a rule forbids."""

    rule: Rule
    wish: str
    """What the user says."""
    answer: str
    """How the assistant declines; names neither rule nor number."""


def numbered(found: Analysis, more: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Rules and limits of the text, word for word, in its order; then the house's own."""
    stated = [*found.rules, *(limit.sentence for limit in found.limits)]
    order = {sentence.text: index for index, sentence in enumerate(found.sentences)}
    stated.sort(key=lambda text: order.get(text, 0))
    texts = list(dict.fromkeys(english.sentence(text) for text in stated))[:MAX_RULES]
    return tuple(Rule(index, text) for index, text in enumerate([*texts, *more], start=1))


def in_order(pairs: Iterable[tuple[Tool, Tool]]) -> list[str]:
    """What must come before what, as sentences; each pair is `(tool, the one to be called before it)`."""
    return list(dict.fromkeys(f"Before you {tool.action()}, {before.action()}." for tool, before in pairs))


def hurry(rules: Iterable[Rule], tool: Tool, before: Tool) -> Conflict | None:
    """The wish to leave out what must come first."""
    (sentence,) = in_order([(tool, before)])
    rule = next((rule for rule in rules if rule.text == sentence), None)
    if rule is None:
        return None
    return Conflict(rule, f"can't you just {tool.action()} right away?", f"I have to {before.action()} first")


def conflicts(rules: Iterable[Rule]) -> list[Conflict]:
    """Wishes against those rules whose wording leaves no doubt what they forbid."""
    made = (_conflict(rule) for rule in rules if not _SKIP.search(rule.text))
    return [conflict for conflict in made if conflict]


def about(rules: Iterable[Rule], topic: str) -> Rule | None:
    """The rule that shares most words with a topic; None if none shares the main one."""
    wanted = words_of(topic)
    scored = [
        (len(set(words_of(rule.text)) & set(wanted)), -len(rule.text), rule) for rule in rules if len(rule.text) < 200
    ]
    scored = [item for item in scored if wanted and wanted[-1] in words_of(item[2].text)]
    return max(scored, key=lambda item: item[:2])[2] if scored else None


def _conflict(rule: Rule) -> Conflict | None:
    text = rule.text.rstrip(".! ")
    if (match := _NOT_BE.match(text)) and _is_subject(match["subject"]):
        subject, rest = _inner(match["subject"]), match["rest"]
        be = "are" if _plural(subject) else "is"
        return Conflict(rule, f"could you see to it that {subject} {be} {rest}?", f"{subject} cannot be {rest}")
    if (match := _YOU_NOT.match(text)) and _is_verb(match["rest"]):
        rest = _first_person(match["rest"])
        return Conflict(rule, f"could you also {rest}?", f"I may not {match['rest']}")
    if (match := _MUST_BE.match(text)) and _is_subject(match["subject"]):
        subject, rest = _inner(match["subject"]), match["rest"]
        do, have = ("do", "have") if _plural(subject) else ("does", "has")
        wish = f"{do} {subject} really have to be {_first_person(rest)}? I would rather skip that."
        return Conflict(rule, wish, f"{subject} {have} to be {rest}")
    if (match := _YOU_MUST.match(text)) and _is_verb(match["rest"]):
        return Conflict(
            rule,
            f"do I really have to {_first_person(match['rest'])}? I'd rather leave that out.",
            f"there is no way around it: you have to {match['rest']}",
        )
    return None


def _is_subject(subject: str) -> bool:
    """A short noun phrase and no piece of a sentence."""
    words = subject.lower().split()
    return len(words) <= 6 and words[-1] not in _SMALL and not _NO_SUBJECT & set(words)


_NO_SUBJECT = frozenset("and or please for it they you we that which who if when there not note also but".split())


def _inner(subject: str) -> str:
    """For the middle of a sentence: a leading article or common word goes small."""
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}".strip() if first.lower() in _SMALL or first.istitle() else subject


_SMALL = frozenset("the a an all any each every this these your".split())


def _plural(subject: str) -> bool:
    last = subject.split(" ")[-1].lower()
    first = subject.split(" ")[0].lower()
    if first in ("these", "those"):
        return True
    return first not in ("a", "an", "each", "every") and last.endswith("s") and english.singular(last) != last


def _is_verb(rest: str) -> bool:
    first = rest.split(" ")[0].lower()
    return first in OPERATIONS or first in english.VERBS


def _first_person(text: str) -> str:
    text = re.sub(r"\byour\b", "my", text, flags=re.IGNORECASE)
    return re.sub(r"\byou're\b", "I'm", re.sub(r"\byou are\b", "I am", re.sub(r"\byou\b(?! are)", "I", text)))
