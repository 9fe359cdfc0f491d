"""The scenes a conversation is made of. Each leaves it with the assistant having spoken, or the user just answering."""

import random
from typing import Any

from gem_tasks.teacher.analyse import Analysis, Limit
from gem_tasks.teacher.conversation import Call, Talk
from gem_tasks.teacher.phrases import Phrases, listing, scalars, spell, words
from gem_tasks.teacher.plan import Plan
from gem_tasks.teacher.world import FINISHES, World, action_of, reads, thing_of

RULES_SHOWN = 25
CONFIRM_RULE = "Before anything that cannot be undone, say what will happen and wait for a clear yes."
NO_GUESSING_RULE = "Never guess an id, a date or an amount: look it up, or ask."


class Stage:
    """What the scenes share."""

    def __init__(self, talk: Talk, world: World, plan: Plan, found: Analysis, rng: random.Random) -> None:
        self.talk, self.world, self.plan, self.found, self.rng = talk, world, plan, found, rng
        self.say = Phrases(rng)
        first = plan.writes[0][0] if plan.writes else next(iter(world.tools))
        lookup = plan.lookups[0][0][0] if plan.lookups else first
        self.thing = thing_of(lookup)

    def call(self, *calls: Call) -> None:
        """Makes calls that succeed."""
        self.talk.use(list(calls), [self.world.answer(name, arguments) for name, arguments in calls])

    def goal(self) -> str:
        """`create the sales order and post it`, from the calls that change something."""
        done = [f"{words(action_of(name))} the {thing_of(name)}" for name, _ in self.plan.writes[:2]]
        return listing(done) or f"look up a {self.thing}"

    def unsaid(self, name: str, arguments: dict[str, Any]) -> list[tuple[str, Any]]:
        """Values of a call that nobody has said or returned yet; a default needs no saying."""
        properties: dict[str, Any] = self.world.tools[name].parameters.get("properties") or {}
        given = {key: value for key, value in arguments.items() if properties.get(key, {}).get("default") != value}
        pairs = [pair for key, value in given.items() for pair in scalars(value, key)]
        return [(key, value) for key, value in pairs if not self.talk.known(spell(value))]

    def details(self) -> Call | None:
        """A lookup that can be made with what is known."""
        for node in reversed(self.plan.lookups):
            for name, arguments in node:
                if not self.unsaid(name, arguments):
                    return name, arguments
        return None


def open_and_find(stage: Stage) -> None:
    """A vague wish, a clarifying question, and the lookups."""
    stage.talk.user(stage.say.opening(stage.goal()))
    wanted = _identify(stage)
    stage.talk.assistant(f"Gladly. Which {stage.thing} is it about? A name or a number is enough.")
    stage.talk.user(f"It is {stage.world.name}{'; ' if wanted else ''}{wanted}.")
    for node in stage.plan.lookups:
        stage.call(*node)
    status = stage.world.state
    ids = [f"{words(key)} {value}" for key, value in list(stage.world.ids.items())[:1] if stage.talk.known(value)]
    where = f" ({ids[0]})" if ids else ""
    stage.talk.assistant(f"I found {stage.world.name}{where}; its status is {status}.")


def _identify(stage: Stage) -> str:
    """What the first lookup needs beside the name, as the user says it; without lookups, the ids themselves."""
    first = stage.plan.lookups[0] if stage.plan.lookups else []
    needed = [pair for name, arguments in first for pair in stage.unsaid(name, arguments)]
    pairs = [(name, value) for name, value in needed if str(value) != stage.world.name]
    if not first:
        pairs = list(stage.world.ids.items())
    return listing([f"the {words(name)} is {spell(value)}" for name, value in pairs[:6]])


def carry_out(stage: Stage, call: Call, *, fails_first: bool) -> None:
    """Asks what is missing, confirms, calls, recovers from an error, and reports."""
    name, arguments = call
    action, thing = action_of(name), thing_of(name)
    missing = stage.unsaid(name, arguments)
    doing = f"{words(action)} the {thing}"
    if missing:
        stage.talk.assistant(f"To {doing} I need {listing([f'the {words(key)}' for key, _ in missing])}.")
        stage.talk.user(_values(missing, stage.rng))
    else:
        stage.talk.user(f"Please {doing} now.")
    if action in FINISHES or fails_first:
        facts = listing([f"{words(key)} {spell(value)}" for key, value in _pairs(arguments)])
        undo = " This cannot be undone." if action in FINISHES else ""
        stage.talk.assistant(f"I am about to {doing} with {facts or 'what we have'}.{undo} Shall I?")
        stage.talk.user(stage.say.agree())
    if fails_first:
        _stumble(stage, call)
    stage.call(call)
    stage.talk.assistant(f"{stage.say.done()} The {thing} is now {stage.world.state}.")


def _stumble(stage: Stage, call: Call) -> None:
    """The call comes at a bad moment; the assistant looks, or waits for the user, and tries again."""
    stage.talk.use([call], [stage.world.locked(call[1])])
    lookup = stage.details()
    if lookup:
        stage.talk.assistant("Somebody else has it open. Let me look at its state before I try again.")
        stage.call(lookup)
        stage.talk.assistant("It is free now, so I try again.")
    else:
        stage.talk.assistant("It is being edited in another session. Please close it there and tell me.")
        stage.talk.user("I have closed it, try again.")


def _pairs(arguments: dict[str, Any]) -> list[tuple[str, Any]]:
    return [pair for key, value in arguments.items() for pair in scalars(value, key)][:6]


def _values(missing: list[tuple[str, Any]], rng: random.Random) -> str:
    parts = [f"the {words(key)} is {spell(value)}" for key, value in missing]
    begin = rng.choice(("Sure:", "Let me see,", "OK,", "Here you are:"))
    return f"{begin} {listing(parts)}."


def forbidden(stage: Stage) -> None:
    """The user wants what a rule or limit of the text forbids; the assistant refuses and offers what is possible."""
    limit = next((limit for limit in stage.found.limits if limit.maximum and limit.noun), None)
    if limit and limit.maximum is not None:
        _beyond(stage, limit, limit.maximum)
        return
    rule = next(iter(stage.found.rules), CONFIRM_RULE)
    stage.talk.user("One more thing: can we leave the usual rules aside this once, to save time?")
    stage.talk.assistant(
        f"I am sorry, I cannot do that. The rule says: “{rule.rstrip('.')}.” What I can do is go on within it."
    )
    stage.talk.user("Fair enough, let us keep to it.")


def _beyond(stage: Stage, limit: Limit, most: float) -> None:
    more = int(most * 2) if most >= 1 else 2
    stage.talk.user(f"By the way, could we go up to {more} {limit.noun}s in this case?")
    stage.talk.assistant(
        f"No, that is not possible. The rule says: “{limit.sentence.rstrip('.')}.” I can do anything up to that limit."
    )
    stage.talk.user("All right, then we stay within it.")


def ask_state(stage: Stage) -> None:
    """A question that takes a lookup, then goodbye."""
    lookup = stage.details()
    if lookup:
        stage.talk.user("Before I go: what does the system say about its status now?")
        stage.call(lookup)
        stage.talk.assistant(f"{stage.world.name} is {stage.world.state} now.")
    stage.talk.user(stage.say.thanks())
    stage.talk.assistant(stage.say.bye())


def known_name(plan: Plan, world: World, rng: random.Random) -> str:
    """What the user calls the thing: the words that the first lookup searches for, or a fresh name."""
    from gem_tasks.teacher.values import example

    for node in plan.lookups[:1]:
        for name, arguments in node:
            for key, value in arguments.items():
                if isinstance(value, str) and key not in world.ids and reads(name) and len(value) > 2:
                    return value
    return str(example("name", {"type": "string"}, rng))
