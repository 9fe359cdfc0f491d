"""Refine: the draft kept, with more tools, a briefed system turn, longer results, and a user who wants more."""

import random
from collections.abc import Sequence

from gem_tasks.domain.trajectory import Message, Trajectory
from gem_tasks.prompts.dialogue import parse_tools, parse_trajectory, render_tools
from gem_tasks.prompts.tags import TagError
from offline_teacher.reading.analyse import Analysis, analyse
from offline_teacher.reading.words import SCREEN_VERBS
from offline_teacher.talk import briefing, episodes, rules
from offline_teacher.talk.handover import handover
from offline_teacher.talk.neighbours import Neighbours, neighbours
from offline_teacher.talk.overview import compare, overview
from offline_teacher.talk.scene import Scene, enriched, fill_table, id_schema_of, scene_of
from offline_teacher.talk.shapes import fits

_MOTIVES = (
    "My boss wants this off the list today.", "The auditors come on Thursday and I want it clean by then.",
    "I am covering for a colleague who is ill, so bear with me.", "I go on leave tomorrow and don't want to "
    "leave a mess.",
    "Somebody complained about it this morning, so it is a bit urgent.", "It's my second week here, so I might "
    "ask silly things.",
    "We had this lying around for ages and now everybody asks about it.",
)  # fmt: skip
_MOST_STEP = 160
_GOAL = 46
"""Messages (the paper's mean)."""
_CASUAL = (
    ("I would like to", "I'd like to"),
    ("I am ", "I'm "),
    ("do not", "don't"),
    ("cannot", "can't"),
    ("Could you please", "Could you"),
)


def answer(sections: dict[str, str], seed: int) -> str:
    """`<toolsets>` and `<trajectory>` of `prompts/refine.md` for the sections `tools`, `trajectory` and `text`."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    try:
        given = parse_tools(sections.get("tools", ""))
    except TagError:
        given = ()
    try:
        draft = parse_trajectory(sections.get("trajectory", ""), given)
    except TagError:
        draft = Trajectory(tools=given, messages=())
    scene = scene_of(draft, rng)
    schema = id_schema_of(given, scene)
    fill_table(scene, schema)
    if not all(fits(schema, row[scene.key]) for row in scene.table):
        schema = {"type": schema["type"]}
    added = neighbours(given, scene.entity, scene.key, schema, scene.statuses)
    scene.specs = (*given, *added.specs())
    found = analyse(sections.get("text", ""))
    by_hand = (step.sentence.text for step in found.steps if step.verb in SCREEN_VERBS)
    scene.steps = [text for text in by_hand if len(text) < _MOST_STEP][:12]
    _tell(scene, draft, found, added)
    return f"<toolsets>{_escaped(render_tools(scene.specs))}</toolsets>\n{scene.script.render()}"


def _escaped(text: str) -> str:
    """JSON whose strings cannot be taken for tags: a `<` stands only inside strings."""
    return text.replace("<", "\\u003c")


def _tell(scene: Scene, draft: Trajectory, found: Analysis, added: Neighbours) -> None:
    """The draft's turns in their order, with episodes between and after them."""
    system, *turns = draft.messages or (Message(role="system", content=""),)
    renumbered = _brief(scene, system.content or "", found, added)
    body, closing = _closing(turns)
    breaks = [index for index in range(len(body)) if _is_break(body, index)]
    at = scene.rng.choice(breaks[len(breaks) // 2 :]) if len(breaks) > 1 and scene.rng.random() < 0.6 else -1
    for index, message in enumerate(body):
        _replay(scene, message, renumbered, first=index == 0, number=index)
        if index == at:
            scene.rng.choice((episodes.forgotten, episodes.limitation))(scene)
    _more(scene, added)
    for message in closing:
        _replay(scene, message, renumbered, first=False, number=0)
    if scene.script.last != "assistant":
        scene.script.assistant("Then we have everything. Have a good day.")


def _more(scene: Scene, added: Neighbours) -> None:
    """Episodes until the conversation is long enough."""
    goal = int(scene.rng.gauss(_GOAL, 5))
    if scene.script.last in ("", "system"):
        scene.script.user("Hello, I need your help with a few things.")
        scene.script.assistant("Of course, what is it about?")
    overview(scene, added)
    handover(scene, added)
    extra = [compare, episodes.guidance, episodes.limitation]
    scene.rng.shuffle(extra)
    for number, episode in enumerate(extra):
        if len(scene.script.messages) <= goal or (number == 0 and scene.rng.random() < 0.4):
            episode(scene)


def _brief(scene: Scene, system: str, found: Analysis, added: Neighbours) -> dict[int, int]:
    """Writes the system turn; gives the new numbers of the rules."""
    head, stated = briefing.split_system(system)
    known = {rule for _, rule in stated}
    missing = [rule.text for rule in rules.numbered(found) if rule.text not in known and rule.text not in system]
    listed, renumbered, _ = briefing.grouped(stated, [*missing, *briefing.own_rules(scene, added)])
    head = head.strip() or "You are an assistant who works with the tools given."
    scene.script.system(f"{head}\n\n# Rules\n{listed}\n\n# Data\n{briefing.tables(scene, added)}")
    return renumbered


def _closing(turns: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """The turns before and from the user's last words, if nothing is done after those."""
    last = max((index for index, message in enumerate(turns) if message.role == "user"), default=0)
    if last == 0 or any(message.tool_calls for message in turns[last:]):
        return turns, ()
    return turns[:last], turns[last:]


def _is_break(body: Sequence[Message], index: int) -> bool:
    """Whether the user could bring up something else after this message."""
    message = body[index]
    after = body[index + 1].role if index + 1 < len(body) else ""
    words = message.content or ""
    settled = "?" not in words and "ule " not in words
    return message.role == "assistant" and not message.tool_calls and after == "user" and settled


def _replay(scene: Scene, message: Message, renumbered: dict[int, int], *, first: bool, number: int) -> None:
    content = message.content or ""
    if message.role == "tool":
        message = enriched(scene, message, number)
    elif message.role == "user":
        for formal, casual in _CASUAL:
            content = content.replace(formal, casual)
        if first:
            content = f"{content} {scene.rng.choice(_MOTIVES)}"
        message = message.model_copy(update={"content": content})
    elif content:
        message = message.model_copy(update={"content": briefing.recited(content, renumbered)})
    scene.script.replay(message)
