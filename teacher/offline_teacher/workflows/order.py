"""In which order the tools of a workflow are called, and what must have happened before what."""

import re
from collections.abc import Sequence

from offline_teacher.reading.analyse import Analysis
from offline_teacher.reading.words import OPERATIONS, singular
from offline_teacher.workflows.drafts import CREATING, Draft

_MOST_PARALLEL = 3
_BEFORE = re.compile(r"^(?P<first>.{8,160}?)\b(?:before you|before)\s+(?P<then>.{4,120})$", re.IGNORECASE)
_AFTER = re.compile(r"^(?:after|once|as soon as)\s+(?P<first>.{6,120}?),\s+(?P<then>.{6,160})$", re.IGNORECASE)
_BEFORE_FIRST = re.compile(r"^before\s+(?:you\s+)?(?P<then>.{4,120}?),\s+(?P<first>.{6,160})$", re.IGNORECASE)


def graph(drafts: Sequence[Draft]) -> str:
    """`(a)->(b, c)->(d)`: neighbours that only read, and need nothing from each other, share a node."""
    nodes: list[list[Draft]] = []
    for draft in drafts:
        node = nodes[-1] if nodes else []
        alike = bool(node) and draft.reads and all(other.reads for other in node) and len(node) < _MOST_PARALLEL
        if alike and not any(_delivers(other, draft) for other in node):
            node.append(draft)
        else:
            nodes.append([draft])
    return "->".join(f"({', '.join(draft.name for draft in node)})" for node in nodes)


def _delivers(producer: Draft, consumer: Draft) -> bool:
    makes = producer.action in ("search", "list") or producer.action in CREATING
    return makes and consumer.own_id == f"{producer.entity}_id"


def requirements(drafts: Sequence[Draft], found: Analysis) -> list[dict[str, str]]:
    """What works on a created thing comes after its creation; what the text puts first comes first."""
    pairs: dict[tuple[str, str], None] = {}
    for index, draft in enumerate(drafts):
        maker = next((other for other in drafts[:index] if other.action in CREATING and _delivers(other, draft)), None)
        if maker and not draft.reads:
            pairs[draft.name, maker.name] = None
    for sentence in found.sentences:
        for pattern in (_BEFORE_FIRST, _AFTER, _BEFORE):
            if match := pattern.match(sentence.text):
                first, then = _meant(match["first"], drafts), _meant(match["then"], drafts)
                if first and then and first is not then and (first.name, then.name) not in pairs:
                    pairs[then.name, first.name] = None
                break
    return [{"tool": tool, "after": after} for tool, after in pairs if not _circular(tool, after, drafts)]


def _circular(tool: str, after: str, drafts: Sequence[Draft]) -> bool:
    """Whether the order of use already says the opposite."""
    order = [draft.name for draft in drafts]
    return order.index(after) > order.index(tool)


def _meant(words: str, drafts: Sequence[Draft]) -> Draft | None:
    """The tool that a part of a sentence speaks of: same verb, and the same thing or `it`."""
    found = re.findall(r"[a-z]+", words.lower())
    stems = {_stem(word) for word in found}
    things = {singular(word) for word in found} | ({"it", "them"} & set(found))
    for draft in drafts:
        verbs = {draft.action.split("_")[0]} | {
            verb for verb, operation in OPERATIONS.items() if operation == draft.action
        }
        if draft.action == "get":
            verbs |= {"check", "verify", "review", "inspect"}
        last = draft.entity.rsplit("_", 1)[-1]
        if {_stem(verb) for verb in verbs} & stems and (last in things or "it" in things):
            return draft
    return None


def _stem(word: str) -> str:
    return re.sub(r"(?:ing|ed|e|s)$", "", word)
