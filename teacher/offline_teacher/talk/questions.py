"""What the assistant has to ask before a call: missing values, and a yes for what cannot be undone."""

from collections.abc import Sequence

from offline_teacher.talk import facts, phrases
from offline_teacher.talk.grounding import Leaf
from offline_teacher.talk.rules import about
from offline_teacher.talk.shapes import bounds
from offline_teacher.talk.state import Step, Walk

_MOST_REMINDERS = 2
_AHEAD = 0.5


def ask(walk: Walk, steps: Sequence[Step], missing: list[Leaf], final: Step | None) -> None:
    """The assistant asks, the user tells; perhaps too much of something at first.

    Args:
        walk: the conversation.
        steps: what is about to be called.
        missing: the values nobody has given yet.
        final: a step to be confirmed in the same breath.
    """
    first, rng = steps[0].tool, walk.rng
    if walk.script.last == "user" and walk.script.silent and rng.random() < 0.3:
        walk.script.hold(rng.choice(("Gladly.", "Sure.", "Of course.", "I can do that.")))
    if first.kind == "find" and len(missing) == 1 and isinstance(missing[0].value, str) and final is None:
        _ask_name(walk, first.noun or "record", missing[0])
        return
    if first.kind != "find":
        walk.script.hold(
            rng.choice(("", "", f"Next, I will {first.action()}.", f"On to the next step: {first.action()}."))
        )
    walk.script.hold(phrases.asking(missing, rng))
    if final is not None:
        _confirm_along(walk, final, missing)
        return
    walk.script.flush()
    excess = next((leaf for leaf in missing if _above(leaf) is not None), None)
    if excess is not None and not walk.exceeded:
        _exceed(walk, excess, missing)
    else:
        walk.script.tell(missing, _telling(walk, missing))
        _tell_ahead(walk, steps)


def _tell_ahead(walk: Walk, steps: Sequence[Step]) -> None:
    """The user adds what the next step will need, as people do."""
    name = next((name for name in walk.upcoming if name not in walk.done and name != steps[-1].tool.name), "")
    tool = walk.box.tools.get(name)
    if tool is None or tool.kind not in ("create", "change") or walk.rng.random() > _AHEAD:
        return
    ids = {param.name for param in tool.params if param.entity}
    own = {param.name: param for param in tool.params if param.required and param.name not in ids}
    arguments = walk.arguments(tool) or {}
    given = {name: value for name, value in arguments.items() if name in own}
    missing = [leaf for leaf in walk.script.unsaid(tool.spec, given) if _above(leaf) is None or walk.exceeded]
    if not missing or len(missing) > 2 or {leaf.path[0] for leaf in missing} != set(given):
        return
    walk.prepared[name] = given
    lead = walk.rng.choice((f"You'll also have to {tool.action()}, I think:", "And for the step after that:"))
    walk.script.tell(missing, f"{lead} {phrases.brief(missing)}")


def confirm(walk: Walk, step: Step) -> None:
    """The key values, perhaps a rule the user may not know, and a clear yes."""
    tool = step.tool
    rule = about([rule for rule in walk.rules if rule.number not in walk.told_rules], tool.noun)
    if rule and walk.rng.random() < 0.6 and len(walk.told_rules) < _MOST_REMINDERS:
        walk.told_rules.add(rule.number)
        walk.script.hold(f'One thing to keep in mind, from rule {rule.number}: "{rule.text}"')
    plan = facts.planned(tool, step.arguments, walk.world.referred(tool, step.arguments), walk.script.grounds)
    table = phrases.CONFIRM if plan else phrases.CONFIRM_BARE
    walk.script.assistant(walk.rng.choice(table).format(action=tool.action(), facts=plan))
    walk.script.user(walk.say(phrases.YES))


def _ask_name(walk: Walk, noun: str, leaf: Leaf) -> None:
    walk.script.assistant(
        walk.rng.choice(
            (
                f"Which {noun} is it about? A name is enough.",
                f"For whom or what is the {noun}?",
                f"Can you tell me the name the {noun} is filed under?",
                f"Under which name should I look for the {noun}?",
            )
        )
    )
    walk.script.tell([leaf], phrases.naming(phrases.value(leaf.value), walk.rng))


def _confirm_along(walk: Walk, final: Step, missing: list[Leaf]) -> None:
    """What is asked for is the last thing missing: the answer is the go-ahead as well."""
    asked = {leaf.path[0] for leaf in missing}
    known = {name: given for name, given in final.arguments.items() if name not in asked}
    plan = facts.planned(final.tool, known, walk.world.referred(final.tool, known), walk.script.grounds)
    about_it = f" ({plan})" if plan else ""
    walk.script.assistant(
        f"With that I would {final.tool.action()}{about_it}, which cannot simply be undone; please also tell me "
        "whether I may."
    )
    walk.script.tell(missing, f"{_telling(walk, missing)} {walk.say(phrases.YES)}")


def _telling(walk: Walk, missing: list[Leaf]) -> str:
    text = phrases.telling(missing, walk.rng)
    if walk.style == "chatty":
        return f"{walk.rng.choice(('Let me see.', 'Right.', 'Hm, one moment.', 'Okay!'))} {text}"
    return f"{text} Thank you." if walk.style == "polite" and walk.rng.random() < 0.4 else text


def _exceed(walk: Walk, leaf: Leaf, missing: list[Leaf]) -> None:
    """The user wants more than the schema, and so the text, allows."""
    walk.exceeded = True
    above, name = phrases.value(_above(leaf)), phrases.label(leaf)
    most = phrases.value(bounds(leaf.schema)[1])
    rest = [other for other in missing if other is not leaf]
    walk.script.tell(rest, f"{phrases.telling(rest, walk.rng)} And make the {name} {above}.".strip())
    rule = next((rule for rule in walk.rules if most in rule.text.split()), None)
    why = f'rule {rule.number} says: "{rule.text}"' if rule else f"at most {most} is allowed there."
    walk.script.assistant(f"I can't set the {name} to {above}: {why} What should it be instead?")
    said = phrases.value(leaf.value)
    forms = (f"Then {said}.", f"Oh. {said} then, please.", f"I didn't know that. Let's say {said}.")
    walk.script.tell([leaf], walk.rng.choice(forms))


def _above(leaf: Leaf) -> float | None:
    """A value beyond the upper bound of a number, if it has one that somebody may not know."""
    high = bounds(leaf.schema)[1]
    if high is None or isinstance(leaf.value, bool | str) or leaf.value is None or not 1 < high < 10_000:
        return None
    return float(int(high * 1.5) + 1)
