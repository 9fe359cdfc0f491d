"""Extract: the instructions of a text as workflows over tools, with its limits in the schemas."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from gem_tasks.prompts.dialogue import render_tools
from gem_tasks.prompts.tags import neutral
from offline_teacher.reading.analyse import Analysis, Step, analyse, instruction
from offline_teacher.reading.clauses import clauses
from offline_teacher.reading.naming import page_entity, spoken, topic_of
from offline_teacher.reading.procedures import Procedure, procedures
from offline_teacher.workflows.arguments import actions
from offline_teacher.workflows.drafts import Draft
from offline_teacher.workflows.events import Event, event_of
from offline_teacher.workflows.order import graph, requirements
from offline_teacher.workflows.toolkit import build

_MOST_STEPS = 30
_MOST_REMARK = 160
_GOAL = re.compile(r"^(?:how\s+)?(?:to\s+|steps\s+to\s+)?([a-z][^#|{}<>]{8,90})$", re.IGNORECASE)
_ANYTHING = "1. Search the record.\n2. Check the record.\n3. Update the record."


def answer(sections: dict[str, str], seed: int) -> str:
    """The tags of `prompts/extract.md` for the sections `summary` and `text`.

    A text without instructions is taken for what it names most: finding, looking at and changing that.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    title = sections.get("summary", "").split(":")[0]
    found = analyse(sections.get("text", ""))
    every = events_of(found.steps, found)
    written = [made for procedure in procedures(found) if (made := _workflow(procedure, found, every, title, rng))]
    if not written:
        plain = analyse(_ANYTHING)
        written = [_workflow(procedures(plain)[0], plain, [], title, rng)]
    return "\n".join(written)


def _workflow(procedure: Procedure, found: Analysis, every: list[Event], title: str, rng: random.Random) -> str:
    """One `<workflow>`; empty if no step is an operation."""
    events = events_of(procedure.steps, found)
    topic = _topic(events, every, f"{procedure.title} {title}".lower()) or topic_of(
        f"{procedure.title} {title}", procedure.steps
    )
    if not events or not topic:
        return ""
    drafts = build(events, found.limits, topic)
    steps = [_capital(step.sentence.text.lstrip(" ,;.)-")) for step in procedure.steps][:_MOST_STEPS]
    parts = {
        "description": f"{_goal(procedure.title or title, drafts)}, for somebody who asks an assistant to do it.",
        "steps": "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1)),
        "execution_graph": graph(drafts),
        "actions": json.dumps(actions(drafts, rng), ensure_ascii=False),
        "tools": render_tools(draft.spec() for draft in drafts),
        "requires": json.dumps(requirements(drafts, found)),
    }
    body = "\n".join(f"<{tag}>{neutral(content)}</{tag}>" for tag, content in parts.items())
    return f"<workflow>\n{body}\n</workflow>"


def events_of(steps: Iterable[Step], found: Analysis) -> list[Event]:
    """What the instructions mean, in order, with the rule that the text adds to each."""
    after = {id(sentence): later for sentence, later in pairwise(found.sentences)}
    events: list[Event] = []
    for step in steps:
        meant = [event for clause in clauses(step.sentence) if (event := event_of(clause))]
        later = after.get(id(step.sentence))
        if meant and later and not later.first and later.text in found.rules and not instruction(later):
            meant[-1].remark = later.text[:_MOST_REMARK]
        events += meant
    return events


def _topic(events: list[Event], every: list[Event], title: str) -> str:
    """What the operations are about most often; what is searched or in the title counts more.

    Args:
        events: of the procedure.
        every: of the whole text.
        title: of both, lower case.
    """
    counts: Counter[str] = Counter()
    for event in events:
        counts[event.entity] += 5 if event.kind == "read" and event.action in ("search", "open") else 2
        counts[page_entity(event.clause.place)] += 1
    for entity in dict.fromkeys(event.entity for event in every):
        counts[entity] += 4 * (spoken(entity) in title)
    del counts[""]
    return counts.most_common(1)[0][0] if any(counts.values()) else ""


def _goal(heading: str, drafts: list[Draft]) -> str:
    """What the heading says, if it says it with a verb; else what the tools do."""
    match = _GOAL.match(heading.split(",")[0].strip().rstrip(".:"))
    first = match[1].split()[0].lower() if match else ""
    if match and (first.rstrip("e") in _VERB_STEMS or first.endswith("ing")):
        return _capital(match[1])
    done = [f"{spoken(draft.action)} the {spoken(draft.entity)}" for draft in drafts if not draft.reads][:3]
    text = f"{', '.join(done[:-1])} and {done[-1]}" if len(done) > 1 else (done or ["look it up"])[0]
    return _capital(text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_VERB_STEMS = frozenset(
    verb.rstrip("e")
    for verb in """set create add change update delete remove make use define configure send post cancel register
    print import export assign enable disable view find search review approve install connect reset renew book return
    process correct handle schedule transfer record apply copy move run generate report specify manage close open edit
    work""".split()
)
