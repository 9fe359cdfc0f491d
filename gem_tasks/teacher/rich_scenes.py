"""Scenes that make a conversation harder: look-alikes, a changed wish, honest limits, steps only the user can take."""

from typing import Any

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.teacher.conversation import Call
from gem_tasks.teacher.phrases import listing, spell, words
from gem_tasks.teacher.scenes import Stage
from gem_tasks.teacher.world import CREATES, FINISHES, action_of, is_id, reads, thing_of

_MOTIVES = (
    "my colleague is on leave and left this to me, so bear with me",
    "the auditors come tomorrow and I am a bit nervous",
    "I have ten minutes before my next meeting",
    "a customer has called twice about it already",
)
_WISHES = ("telephone the person in charge", "print it and put it in the post", "order us lunch for the meeting")


def tell_apart(stage: Stage) -> None:
    """A wish with several conditions; the search brings records that look alike, and the assistant notices."""
    talk, thing, name = stage.talk, stage.thing, stage.world.name
    conditions = "only the live one, nothing archived, and check with me before anything final"
    talk.user(f"Hi, {stage.rng.choice(_MOTIVES)}. I have to {stage.goal()}; {conditions}.")
    talk.assistant(f"I will be careful. Which {thing} do you mean?")
    first = stage.plan.lookups[0] if stage.plan.lookups else []
    needed = [pair for tool, arguments in first for pair in stage.unsaid(tool, arguments) if str(pair[1]) != name]
    pairs = needed or ([] if first else list(stage.world.ids.items()))
    said = listing([f"the {words(key)} is {spell(value)}" for key, value in pairs[:8]])
    talk.user(f"The one we call {name}{', and ' if said else ''}{said}.")
    for number, node in enumerate(stage.plan.lookups):
        stage.call(*node)
        if number == 0:
            _which(stage)
    talk.assistant(f"I have {name} here. Its status is {stage.world.state}, and {stage.world.owner} looks after it.")


def _which(stage: Stage) -> None:
    """Several results: the state told by the user decides, so nothing has to be guessed."""
    content = stage.talk.messages[-1].content or ""
    if '"draft"' in content:
        stage.talk.assistant(
            f"There are three that look alike: one open, one archived, one draft. You asked for the live one, "
            f"so I take {stage.world.name} with status {stage.world.state}. Is that right?"
        )
        stage.talk.user("Yes, the open one, not the archived one and not the draft.")


def verify(stage: Stage) -> None:
    """The user wants to be sure; the assistant looks instead of asserting."""
    lookup = stage.details()
    if lookup:
        stage.talk.user("Can you check that it really arrived?")
        stage.call(lookup)
        stage.talk.assistant(f"Yes: the record shows status {stage.world.state}.")


def change_mind(stage: Stage, call: Call) -> None:
    """A value given before is changed; the same operation is made again with the new one."""
    name, arguments = call
    if action_of(name) in CREATES | FINISHES:
        return
    properties: dict[str, Any] = stage.world.tools[name].parameters.get("properties") or {}
    changed = _another(arguments, properties)
    if changed is None:
        return
    key, value = changed
    stage.talk.user(f"Wait, I was wrong about one thing: make the {words(key)} {spell(value)} instead.")
    stage.call((name, {**arguments, key: value}))
    stage.talk.assistant(f"Changed: the {words(key)} is {spell(value)} now.")


def _another(arguments: dict[str, Any], properties: dict[str, Any]) -> tuple[str, Any] | None:
    """A parameter and another valid value for it: the next option, or a number within bounds."""
    for key, value in arguments.items():
        schema = properties.get(key, {})
        options = [option for option in schema.get("enum", []) if option != value]
        if options:
            return key, options[0]
        if isinstance(value, int) and not isinstance(value, bool) and "multipleOf" not in schema:
            for other in (value + 1, value - 1):
                if schema.get("minimum", other) <= other <= schema.get("maximum", other):
                    return key, other
        if set(schema) <= {"type", "description", "minLength", "maxLength"} and isinstance(value, str):
            if not is_id(key, schema) and len(value) < 150:
                return key, f"revised {value}"
    return None


def reach_limits(stage: Stage) -> None:
    """Something that no tool can do: said openly, with what can be done."""
    wish = stage.rng.choice(_WISHES)
    stage.talk.user(f"Could you also {wish}?")
    able = listing([f"{words(action_of(name))} the {thing_of(name)}" for name in list(stage.world.tools)[-2:]])
    stage.talk.assistant(f"No, none of my tools can {wish}. What I can do here is {able}.")


def guide(stage: Stage) -> None:
    """A step only the user can take."""
    stage.talk.user("Fine. And what do I have to do on my side?")
    stage.talk.assistant(
        f"Please open {stage.world.name} on your own screen, refresh it, and tell me which status you see there."
    )
    stage.talk.user(f"It says {stage.world.state}.")
    stage.talk.assistant("That matches what I have. Nothing else is needed on your side.")


def note_down(stage: Stage, extra: tuple[ToolSpec, ...]) -> None:
    """A call with a nested argument, in the user's own words."""
    tool = next((tool for tool in extra if tool.name.endswith("_note")), None)
    key = next(iter(tool.parameters["properties"])) if tool else ""
    if tool is None or key not in stage.world.ids:
        return
    text = f"{stage.world.name} was checked with the assistant"
    stage.talk.user(f"Then please leave a note for the team that says: {text}.")
    stage.call((tool.name, {key: stage.world.ids[key], "note": {"text": text, "visible_to": "team"}}))
    stage.talk.assistant("The note is there, visible to the team.")


def ask_everything(stage: Stage, extra: tuple[ToolSpec, ...]) -> None:
    """A question that only several results together can answer, then goodbye."""
    calls: list[Call] = [lookup] if (lookup := stage.details()) else []
    for tool in extra:
        (key, *others) = tool.parameters["properties"]
        if reads(tool.name) and not others and key in stage.world.ids and stage.talk.known(stage.world.ids[key]):
            calls.append((tool.name, {key: stage.world.ids[key]}))
    if calls:
        stage.talk.user("Last question: what is its state now, who looks after it, and has anybody else changed it?")
        stage.call(*calls)
        stage.talk.assistant(
            f"{stage.world.name} is {stage.world.state}. {stage.world.owner} looks after it, and the changes on record "
            f"are by {stage.world.owner} too."
        )
    stage.talk.user(stage.say.thanks())
    stage.talk.assistant(stage.say.bye())
