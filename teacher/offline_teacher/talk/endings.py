"""Turns beside the workflow's own steps: a wish against a rule, a question over several results, a goodbye."""

from offline_teacher.reading import english
from offline_teacher.talk import phrases, rules
from offline_teacher.talk.rules import Conflict
from offline_teacher.talk.state import Step, Walk
from offline_teacher.talk.tools import Tool, same_thing
from offline_teacher.talk.walk import make_calls
from offline_teacher.talk.world import Record

_LONG = 26
"""Messages after which nothing more is brought up."""


def conflict(walk: Walk) -> None:
    """The user wants what a rule forbids; the assistant names the rule and what can be done instead."""
    found = _forbidden(walk)
    if found is None:
        _unasked(walk)
        return
    walk.told_rules.add(found.rule.number)
    walk.script.user(
        english.sentence(f"{walk.rng.choice(('By the way,', 'One question:', 'And', 'Just wondering,'))} {found.wish}")
    )
    alternative = walk.rng.choice(
        (
            "What I can do is everything else we planned, within that rule.",
            "I can carry on with the rest as the rules have it.",
            "Within that rule I can do the rest for you.",
            "Everything else stays as planned.",
        )
    )
    refusal = walk.rng.choice(
        ("I'm afraid not", "Sorry, no", "That is not possible", "I have to stick to the rules here")
    )
    walk.script.hold(f'{refusal}: {found.answer}. Rule {found.rule.number} says: "{found.rule.text}" {alternative}')
    if walk.rng.random() < 0.35:
        walk.script.user(walk.say(phrases.ACCEPT))


def _forbidden(walk: Walk) -> Conflict | None:
    """A wish that a rule of the text forbids, or else one that what must come first forbids."""
    if walk.conflicts:
        return walk.conflicts.pop(walk.rng.randrange(len(walk.conflicts)))
    tools = walk.box.tools
    pairs = [(name, before) for name, befores in walk.requires.items() for before in befores if before not in walk.done]
    pairs = [pair for pair in pairs if pair[0] in tools and pair[1] in tools and pair[0] not in walk.done]
    if not pairs:
        return None
    name, before = walk.rng.choice(pairs)
    return rules.hurry(walk.rules, tools[name], tools[before])


def _unasked(walk: Walk) -> None:
    """No rule of the text lends itself: the user wants what the house's own rules forbid."""
    if walk.rng.random() < 0.4:
        walk.script.user(
            walk.rng.choice(
                (
                    "If an ID is missing somewhere, just make one up, nobody will notice.",
                    "And should you not find some number, simply guess it, okay?",
                )
            )
        )
        walk.script.hold(
            f"I won't guess: rule {walk.rules[-1].number} allows only IDs that a tool has returned or you have given. "
            "If one is missing, I'll look it up or ask you."
        )
        return
    number = walk.rules[-2].number
    walk.script.user(
        walk.rng.choice(
            (
                "You don't have to ask me every time, just do whatever is needed without checking back.",
                "Can we do this without all those confirmations?",
            )
        )
    )
    walk.script.hold(
        "I keep it as short as I can, but for what cannot simply be undone I need your yes first; that is rule "
        f"{number}. "
        "Everything else I do without asking."
    )
    if walk.rng.random() < 0.35:
        walk.script.user(walk.say(phrases.ACCEPT))


def finish(walk: Walk) -> None:
    """A last look at what was done, then goodbye."""
    if not walk.script.calls:
        walk.script.assistant(
            "I'm sorry, none of my tools can do that as things stand. I can only take note of your request."
        )
        walk.script.user(walk.say(phrases.ACCEPT))
    else:
        length = len(walk.script.messages)
        if length < _LONG and walk.rng.random() < 0.7:
            another(walk)
        if walk.script.calls < 7 or len(walk.script.messages) < _LONG:
            recheck(walk)
        walk.script.user(walk.say(phrases.THANKS))
    first = walk.setting.user.name.split(" ")[0]
    walk.script.assistant(walk.rng.choice(phrases.FAREWELL).format(first=first))


def recheck(walk: Walk) -> None:
    """The user wants to be sure: what was done is fetched again, with all that can be read about it at once."""
    for record in reversed(list(walk.world.current.values())):
        if steps := _readings(walk, record):
            _read_back(walk, record, steps)
            return


def _readings(walk: Walk, record: Record) -> list[Step]:
    """Up to two lookups about a record."""
    steps: list[Step] = []
    for tool in walk.box.tools.values():
        if tool.kind not in ("read", "find") or not _about(tool, record) or len(steps) == 2:
            continue
        arguments = walk.arguments(tool)
        if arguments is not None and not walk.script.unsaid(tool.spec, arguments):
            steps.append(Step(tool, arguments))
    return steps


def _read_back(walk: Walk, record: Record, steps: list[Step]) -> None:
    walk.script.user(
        walk.rng.choice(
            (
                f"Before I go: how does the {record.entity} look now?",
                f"And could you check what state the {record.entity} is in now?",
                f"Good. Can you read me back what is stored for the {record.entity} now?",
                f"I want to be sure it all arrived. What does the system say about the {record.entity}?",
                f"One last check of {record.id}, please.",
            )
        )
    )
    make_calls(walk, steps)


def another(walk: Walk) -> None:
    """A question that takes two lookups, the second with the id from the first: about a record not seen so far."""
    finder = next(
        (tool for tool in walk.box.tools.values() if tool.kind == "find" and tool.noun in walk.world.current), None
    )
    if finder is None:
        return
    record = walk.world.record(finder.noun)
    readers = [tool for tool in walk.box.tools.values() if tool.kind == "read" and _about(tool, record)]
    if not readers:
        return
    other = walk.world.stranger(record)
    step = walk.with_record(other, finder)
    if step is None or other.label not in step.arguments.values():
        return
    named = other.label if other.label.endswith(record.entity) else f"{record.entity} of {other.label}"
    walk.script.user(
        walk.rng.choice(
            (
                f"Something else: what is the status of the {named}?",
                f"And while you're in there, how far along is the {named}?",
                f"Another question. Do we have the {named} in there too, and in what state is it?",
                f"Could you also have a look at the {named}? I only need its status.",
            )
        )
    )
    if walk.script.unsaid(finder.spec, step.arguments):
        walk.script.assistant("I can look that up, but tell me more: what exactly should I search for?")
        missing = walk.script.unsaid(finder.spec, step.arguments)
        walk.script.tell(missing, phrases.telling(missing, walk.rng))
    make_calls(walk, [step])
    reading = walk.with_record(other, readers[0])
    if reading is not None and not walk.script.unsaid(readers[0].spec, reading.arguments):
        make_calls(walk, [reading])


def _about(tool: Tool, record: Record) -> bool:
    return any(
        param.required and param.name == record.key and same_thing(param.entity, record.entity) for param in tool.params
    )
