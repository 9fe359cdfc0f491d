"""Calls that fail for a plausible reason, and how the conversation fixes it."""

import re

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.talk import people
from offline_teacher.talk.script import Call
from offline_teacher.talk.shapes import fits
from offline_teacher.talk.state import Step, Walk


def fail_first(walk: Walk, step: Step) -> None:
    """Makes one call fail and prepares the next try; afterwards the step's arguments are right and agreed on."""
    ways = [_misspelt, _mistyped, _closed_day, _locked, _changed_meanwhile]
    walk.rng.shuffle(ways)
    for way in (*ways, _slow):
        if way(walk, step):
            return


def failure(code: str, message: str) -> Json:
    """The response of a call that did not succeed."""
    return {"error": {"code": code, "message": message}}


def _misspelt(walk: Walk, step: Step) -> bool:
    """The user gave a name that nothing is filed under."""
    if step.tool.kind != "find":
        return False
    name, right = next(((key, text) for key, text in step.arguments.items() if isinstance(text, str)), ("", ""))
    wrong = _slip(right)
    arguments = {**step.arguments, name: wrong}
    if not wrong or not fits(step.tool.spec.parameters, arguments) or walk.script.last != "user":
        return False
    said = walk.script.messages[-1].content or ""
    if said.count(right) != 1:
        return False
    walk.script.reword(said.replace(right, wrong))
    noun = step.tool.noun or "record"
    message = f"No {noun} matches '{wrong}'."
    walk.script.call(Call(step.tool.spec, arguments, failure("not_found", message)))
    walk.script.assistant(f'Nothing is filed under "{wrong}". Could the spelling be different?')
    walk.script.user(
        walk.rng.choice((f"Oh, my typo. {right}.", f"Sorry, it is {right}.", f"Ah, it should be {right}."))
    )
    return True


def _mistyped(walk: Walk, step: Step) -> bool:
    """The user has just given a value that the system does not know."""
    said = (walk.script.messages[-1].content or "") if walk.script.last == "user" else ""
    ids = {param.name for param in step.tool.params if param.entity}
    texts = {name: text for name, text in step.arguments.items() if isinstance(text, str) and name not in ids}
    name, right = next(
        ((name, text) for name, text in texts.items() if said.count(text) == 1 and _slip(text)), ("", "")
    )
    wrong = _slip(right)
    arguments = {**step.arguments, name: wrong}
    if step.tool.kind not in ("create", "change") or not wrong or not fits(step.tool.spec.parameters, arguments):
        return False
    walk.script.reword(said.replace(right, wrong))
    field = english.spoken(name)
    message = f"{field.capitalize()} '{wrong}' does not exist."
    walk.script.call(Call(step.tool.spec, arguments, failure("invalid_value", message)))
    walk.script.assistant(f'The system knows no {field} "{wrong}". How is it spelt?')
    walk.script.user(walk.rng.choice((f"Typing too fast, {right}.", f"{right}, sorry.", f"Of course: {right}.")))
    return True


def _changed_meanwhile(walk: Walk, step: Step) -> bool:
    """Somebody changed the record since it was read: it has to be read again."""
    record = walk.world.referred(step.tool, step.arguments)
    readers = (
        tool for tool in walk.box.tools.values() if tool.kind == "read" and tool.noun and tool.own_id() is not None
    )
    reader = next((tool for tool in readers if record and record.key == tool.params[0].name), None)
    if step.tool.kind != "change" or record is None or reader is None:
        return False
    arguments: Json = {record.key: record.id}
    if not fits(reader.spec.parameters, arguments):
        return False
    message = f"{record.entity.capitalize()} {record.id} has changed since it was last read."
    walk.script.call(Call(step.tool.spec, step.arguments, failure("conflict", message)))
    words = f"{record.id} was changed by somebody in the meantime, so I read it again before I go on."
    walk.script.call(Call(reader.spec, arguments, walk.world.answer(reader, arguments)), words=words)
    walk.script.hold(
        walk.rng.choice(("Nothing in it speaks against our plan.", "It looks as expected, so I try again."))
    )
    return True


def _slip(text: str) -> str:
    """A typing mistake: two letters swapped in the first long word."""
    match = re.search(r"[A-Za-z]{5,}", text)
    if not match:
        return ""
    at = match.start() + 2
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return "" if swapped == text else swapped


def _closed_day(walk: Walk, step: Step) -> bool:
    """A date that the system does not take."""
    dates = [
        name
        for name, given in step.arguments.items()
        if isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", given)
    ]
    if step.tool.kind not in ("create", "change") or not dates:
        return False
    name, bad = dates[0], str(step.arguments[dates[0]])
    good = walk.values.day(name)
    arguments = {**step.arguments, name: good}
    if good == bad or not fits(step.tool.spec.parameters, arguments):
        return False
    message = f"{english.spoken(name).capitalize()} {bad} is not open for entries."
    walk.script.call(Call(step.tool.spec, step.arguments, failure("invalid_date", message)))
    walk.script.assistant(
        f"The system does not accept {bad} as the {english.spoken(name)}: that day is not open for entries. "
        "Which other date should I take?"
    )
    walk.script.user(walk.rng.choice((f"Then {good}.", f"Let's use {good}.", f"Hm, {good} works too.")))
    step.arguments = arguments
    return True


def _locked(walk: Walk, step: Step) -> bool:
    """Somebody else has the record open."""
    record = walk.world.referred(step.tool, step.arguments)
    if step.tool.kind != "change" or record is None:
        return False
    holder = people.person(walk.rng)
    message = f"{record.entity.capitalize()} {record.id} is locked by {holder}."
    walk.script.call(Call(step.tool.spec, step.arguments, failure("record_locked", message)))
    walk.script.assistant(
        f"That did not work: {record.entity} {record.id} is locked by {holder} at the moment. Can you have it "
        "closed, or shall we leave it for later?"
    )
    first = holder.split(" ")[0]
    walk.script.user(
        walk.rng.choice(
            (
                f"{first} sits next to me and has closed it now. Try again.",
                f"I've asked {first}, it's free now. Please try once more.",
                f"Moment... okay, {first} is out of it. Again, please.",
            )
        )
    )
    return True


def _slow(walk: Walk, step: Step) -> bool:
    """The system does not answer in time; asking again is enough."""
    walk.script.call(Call(step.tool.spec, step.arguments, failure("timeout", "The request timed out after 30 s.")))
    walk.script.hold(
        walk.rng.choice(
            (
                "The system did not answer in time; nothing came back. I'll try once more.",
                "That timed out. Let me repeat it.",
            )
        )
    )
    return True
