"""From the words of an instruction to an operation: `Choose the **Post** action on the order` → post, order."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gem_tasks.teacher.analyse import Step, named
from gem_tasks.teacher.words import OPERATIONS, SCREEN_VERBS, singular

_STOP = re.compile(
    r"\b(?:in|on|at|to|for|from|with|by|of|into|onto|using|as|and|or|that|which|who|where|when|if|then|so|until|unless|"
    r"before|after|through|via|between|is|are|was|be|must|should|can|will|it|them|they|you|there|how|what|whether|because|"
    r"about|under|over|per|against|within|without|but|while|up|out|off|down)\b|[,.;:()\[\]\"“”/\\|=<>{}]|\d"
)
_DETERMINERS = frozenset(
    """the a an this that these those your their its his her each any all every another other some following new same
    relevant required necessary appropriate correct specific current existing own such both more one two three first
    last next entire whole full selected desired remaining additional different certain available""".split()
)
_SCREEN_NOUNS = frozenset(
    """page button field action icon menu tab window dialog option checkbox box screen link pane panel column line row
    fasttab section list view drop-down dropdown toggle command card key form arrow symbol ribbon value name number
    cell grid header banner""".split()
)
_NO_OBJECT = frozenset(
    """step way thing detail information more procedure process example note following sure need time use case data
    item part type kind change result place work end top bottom right left side setting page something yes no filter
    incl default sure url close open enter select choose click rest amount total sum question answer reason""".split()
)
_ALSO_THINGS = frozenset(
    "order report record file group book request plan schedule label link issue refund return".split()
)
_READING = {
    "find": "search", "search": "search", "locate": "search", "look": "search", "list": "list", "filter": "search",
    "check": "get", "verify": "get", "view": "get", "review": "get", "inspect": "get", "compare": "get", "read": "get",
    "monitor": "get", "track": "get", "identify": "search", "get": "get", "determine": "get", "preview": "get",
    "calculate": "calculate", "measure": "get", "test": "get", "validate": "get", "scan": "get",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """What a step does to what."""

    action: str
    """First part of the tool's name: `post`, `search`."""
    entity: str
    """Singular, snake_case: `sales_order`."""
    reads: bool
    step: Step

    @property
    def name(self) -> str:
        """Tool name without regard to plural."""
        return f"{self.action}_{self.entity}"


def operation(step: Step, topic: str) -> Operation | None:
    """The operation behind a step; None for mere handling of a screen.

    Args:
        step: the instruction.
        topic: what the text is mostly about, used where the step names no object.
    """
    verb, rest = step.verb, step.rest
    if verb in SCREEN_VERBS:
        found = _behind_screen(step, topic)
        if found is None:
            return None
        verb, rest = found
    entity = entity_of(rest) or topic
    if not entity:
        return None
    if verb in _READING:
        return Operation(_READING[verb], entity, True, step)
    return Operation(OPERATIONS[verb], entity, False, step)


def _behind_screen(step: Step, topic: str) -> tuple[str, str] | None:
    """`(verb, object words)` that a screen step stands for, by the words on the button."""
    for name in named(step.sentence.raw):
        words = re.findall(r"[A-Za-z]+", name.lower())
        if words and words[0] in ("new", "create"):
            return "create", " ".join(words[1:]) or topic
        if words and words[0] in OPERATIONS and words[0] not in SCREEN_VERBS:
            thing = entity_of(" ".join(words[1:]))
            return words[0], thing.replace("_", " ") or topic.replace("_", " ")
    entity = entity_of(step.rest)
    if step.verb in ("open", "select", "choose", "pick", "show", "look") and entity:
        return "find", step.rest
    return None


def entity_of(words: str) -> str:
    """The thing an object phrase is about, singular and in snake_case; empty if it is nothing one could store."""
    phrase = _STOP.split(words.strip().lower(), maxsplit=1)[0] if words else ""
    found = [word for word in re.findall(r"[a-z][a-z-]*[a-z]", phrase) if word not in _DETERMINERS and word.isascii()]
    while found and singular(found[-1]) in _SCREEN_NOUNS:
        found.pop()
    found = [word for word in found if not word.endswith("ly")][-3:]
    if not found or len(found[-1]) < 3 or singular(found[-1]) in _NO_OBJECT or found[-1].endswith("ing"):
        return ""
    if len(found) == 1 and singular(found[0]) in OPERATIONS and singular(found[0]) not in _ALSO_THINGS:
        return ""
    return "_".join([*found[:-1], singular(found[-1])]).replace("-", "_")


def topic_of(title: str, steps: Iterable[Step]) -> str:
    """The thing that most instructions are about; words of the title or a heading weigh more."""
    counts: Counter[str] = Counter()
    heading = " ".join(re.findall(r"[a-z]+", title.lower()))
    for step in steps:
        if entity := entity_of(step.rest):
            spoken = entity.replace("_", " ")
            counts[entity] += 3 if spoken in heading or spoken in step.sentence.heading.lower() else 1
    if counts:
        return counts.most_common(1)[0][0]
    words = re.sub(r"^(?:how to\s+)?(?:\w+ing|\w+)\s+", "", heading)
    return entity_of(words) or entity_of(heading)
