"""How things are said: the user's and the assistant's wordings, and values inside sentences."""

import random
import re
from collections.abc import Sequence

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.talk.grounding import Leaf
from offline_teacher.talk.shapes import bounds, choices, kind_of

_IDENTIFIER = re.compile(r"[a-z]+(?:_[a-z]+)+")
GREETING = {
    "plain": ("Hello,", "Hi,", "Good morning,", "Hello there,"),
    "chatty": ("Hi there!", "Hey, hope you're having a good day!", "Hello! Me again."),
    "hurried": ("Quick one:", "Hi, short on time:", "Hey,"),
    "polite": ("Good morning, and thank you for your time.", "Good day.", "Hello, I hope you can help me."),
}
NEED = {
    "plain": ("I need to {goal}.", "I'd like to {goal}.", "I have to {goal}."),
    "chatty": (
        "So, I've been asked to {goal}, and I've never done it before.",
        "I'm supposed to {goal} today, fun fun.",
    ),
    "hurried": ("need to {goal}, please.", "can we {goal} right now?", "I have to {goal} before my next meeting."),
    "polite": ("I would like to {goal}, if that is possible.", "Could you please help me to {goal}?"),
}
YES = {
    "plain": ("Yes, go ahead.", "Yes, please do.", "That's right, go on.", "Confirmed."),
    "chatty": ("Yes, that's exactly it, go for it!", "Yep, all correct, please go ahead.", "Sounds good, yes!"),
    "hurried": ("Yes.", "Yes, do it.", "ok, go", "Yep, go ahead."),
    "polite": ("Yes, please proceed.", "That is correct, thank you. Please go ahead.", "Yes, I confirm."),
}
THANKS = {
    "plain": ("Thanks, that's all.", "Good, that was everything. Thank you.", "Perfect, thanks."),
    "chatty": ("Wonderful, you saved my day. That's all!", "Great stuff, thank you so much, nothing else for now."),
    "hurried": ("Great, thanks, bye.", "ok thanks, done here.", "Thanks, got to run."),
    "polite": ("Thank you very much for your help, that is all.", "Many thanks, I have no further questions."),
}
ACCEPT = {
    "plain": ("All right, then let's go on.", "I see. Then leave it as it is.", "Understood."),
    "chatty": ("Oh, good to know, I had no idea! Then without that.", "Fair enough, never mind then."),
    "hurried": ("Fine, skip it.", "ok, leave it then.", "All right, move on."),
    "polite": ("I understand, thank you for explaining. Then we leave it at that.", "Of course, then without it."),
}
FAREWELL = (
    "You're welcome, {first}. Everything is recorded.", "Glad to help, {first}. Have a good day.",
    "You're welcome. Just write again if anything changes.", "Happy to help, {first}. Goodbye.",
)  # fmt: skip
ASK_ONE = (
    "What should I enter for the {what}?", "What is the {what}?", "Could you tell me the {what}?",
    "I still need the {what}.", "What shall I put down as the {what}?",
)  # fmt: skip
ASK_MANY = (
    "I still need the {what}.", "Could you give me the {what}?", "For that I need the {what}.",
    "Please tell me the {what}.",
)  # fmt: skip
CONFIRM = (
    "Before I {action}, please check: {facts}. Shall I go ahead?",
    "This cannot simply be undone. I would now {action}: {facts}. Do you confirm?",
    "Let me confirm before I {action}: {facts}. Is that right?",
    "I am ready to {action}: {facts}. Do I have your go-ahead?",
)
CONFIRM_BARE = ("I would now {action}. Is that what you want?", "Shall I {action} now? It cannot simply be undone.")


def pick(table: dict[str, tuple[str, ...]], style: str, rng: random.Random) -> str:
    """A wording for that way of speaking."""
    return rng.choice(table.get(style) or table["plain"])


def value(given: str | float | bool | None) -> str:
    """A value inside a sentence."""
    if isinstance(given, bool) or given is None:
        return "yes" if given else "no"
    if isinstance(given, str):
        words = given.replace("_", " ") if _IDENTIFIER.fullmatch(given) else given
        return f'"{words}"' if len(words.split()) > 3 else words
    return str(given).removesuffix(".0")


def label(leaf: Leaf) -> str:
    """What a value is called; inside an object with the object's name before."""
    names = [english.spoken(part) for part in leaf.path if not part.isdigit()]
    if len(names) < 2 or names[-2].endswith(names[-1]):
        return names[-1] if names else "value"
    return f"{names[-1]} of the {english.singular(names[-2])}"


def facts(found: Sequence[Leaf]) -> list[tuple[str, str]]:
    """`(name, value in words)`, values of one name together, each pair once."""
    grouped: dict[str, list[str]] = {}
    for leaf in found:
        said = grouped.setdefault(label(leaf), [])
        if (text := value(leaf.value)) not in said:
            said.append(text)
    return [(name, english.join(said)) for name, said in grouped.items()]


def telling(found: Sequence[Leaf], rng: random.Random) -> str:
    """The user gives values: one or two sentences."""
    pairs = facts(found)
    if not pairs:
        return ""
    if len(pairs) == 1:
        name, said = pairs[0]
        forms = (f"The {name} is {said}.", f"{said} for the {name}, please.", f"Take {said} as the {name}.", f"{said}.")
        return rng.choice(forms)
    form = rng.randrange(3)
    if form == 0:
        parts = [f"the {name} is {said}" for name, said in pairs]
    elif form == 1:
        parts = [f"{name}: {said}" for name, said in pairs]
    else:
        parts = [f"{said} for the {name}" for name, said in pairs]
    text = "; ".join(parts) if form == 1 and len(parts) > 2 else english.join(parts)
    # Never through `english.sentence`: it would change a value that stands first.
    return f"Please take {text}." if form == 2 else f"{text[0].upper()}{text[1:]}."


def brief(found: Sequence[Leaf]) -> str:
    """The user gives values in the shortest way."""
    return f"{english.join([f'{name} {said}' for name, said in facts(found)])}."


def naming(said: str, rng: random.Random) -> str:
    """The user says what to look for."""
    return rng.choice(
        (f"{said}.", f"It's {said}.", f"Look for {said}, please.", f"It should be under {said}.", f"{said}, I think.")
    )


def asking(found: Sequence[Leaf], rng: random.Random) -> str:
    """The assistant asks for values, naming options and bounds that the schema has."""
    names = list(dict.fromkeys(label(leaf) for leaf in found))
    text = rng.choice(ASK_ONE if len(names) == 1 else ASK_MANY).format(
        what=english.join([names[0], *(f"the {n}" for n in names[1:])])
    )
    hints = [hint for leaf in found[:4] if (hint := _hint(leaf))]
    return f"{text} {' '.join(dict.fromkeys(hints))}".strip()


def _hint(leaf: Leaf) -> str:
    options = [value(option) for option in choices(leaf.schema)]
    if 1 < len(options) <= 6:
        return f"For the {label(leaf)} there is {english.join(options, 'or')}."
    low, high = bounds(leaf.schema)
    if high is not None and kind_of(leaf.schema) in ("integer", "number"):
        lowest = f"between {value(low)} and" if low is not None else "at most"
        return f"The {label(leaf)} can be {lowest} {value(high)}."
    return ""


def shown(row: Json, most: int = 4, skip: Sequence[str] = ()) -> str:
    """Fields of a result in words: `status open, amount 340`."""
    parts = [
        f"{english.spoken(name)} {value(item)}"
        for name, item in row.items()
        if name not in skip
        and isinstance(item, str | int | float)
        and not isinstance(item, bool)
        and not _dull(name, item)
    ]
    return ", ".join(parts[:most])


def _dull(name: str, item: object) -> bool:
    return name.endswith(("_at", "_by")) or (isinstance(item, str) and (len(item) > 60 or not item.strip()))
