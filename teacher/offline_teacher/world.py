"""World: generic tables and functions for the tools of a workflow."""

import json
import random
import re
from functools import cache
from importlib.resources import files
from typing import Any

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.reading.analyse import analyse
from offline_teacher.talk import people
from offline_teacher.talk.tools import Tool
from offline_teacher.talk.values import code
from offline_teacher.talk.world import nature
from offline_teacher.worlds.plan import existing, planned
from offline_teacher.worlds.system import System, ids, own, system, table, words

_OTHERS = 5
_NAMES = 30
"""Draws of names, of which equal ones count once."""
_GENERIC = {"find": "searched", "read": "shown", "create": "created", "change": "changed"}
_FIRST_NEW = 10_001
"""Beyond the numbers of records that exist already."""
_ORDER = re.compile(r"\b(?:before|after|once|until|as soon as)\b", re.IGNORECASE)
_START = "2026-03-12T09:00:00Z"


def answer(sections: dict[str, str], seed: int) -> str:
    """The tags of `prompts/world.md` for the sections `workflow`, `tools` and `text`."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    made = system(sections)
    state: Json = {table(thing): _records(made, thing, rng) for thing in made.things}
    state["now"] = _START
    reads = [name for name, tool in made.box.tools.items() if tool.kind in ("find", "read")]
    parts = {
        "state": json.dumps(state, ensure_ascii=False),
        "rules": json.dumps(_rules(made, sections.get("text", "")), ensure_ascii=False),
        "reads": json.dumps(reads),
        "ids": json.dumps({table(thing): _format(made, thing) for thing in made.things}),
        "run": json.dumps([{"name": each.tool.name, "arguments": each.arguments} for each in planned(made)]),
        "code": _code(made),
    }
    return "\n".join(f"<{tag}>\n{content}\n</{tag}>" for tag, content in parts.items())


def _records(made: System, thing: str, rng: random.Random) -> Json:
    """The records that the planned calls name, and others that they do not mean."""
    named = existing(made, thing) or [_new_id(made, thing, rng)]
    ours = {str(each): each for each in named}
    while len(ours) <= max(_OTHERS, len(named)):
        other = _varied(named[0], rng)
        ours.setdefault(str(other), other)
    called = list(dict.fromkeys([_planned_name(made, thing), *(_name(thing, rng) for _ in range(_NAMES))]))
    names = [name for name in called if name] + [f"{thing} {number}" for number in range(1, len(ours) + 1)]
    return {name: _record(made.key(thing), key, label) for (name, key), label in zip(ours.items(), names, strict=False)}


def _record(key: str, value: Any, name: str) -> Json:
    return {key: value, "name": name, "status": "open", "revision": 1, "details": {}, "history": []}


def _planned_name(made: System, thing: str) -> str:
    """What a planned search looks for."""
    for action in made.planned:
        if action.tool.kind == "find" and made.worked_on(action.tool) == thing:
            given = [action.arguments[name] for name in words(action.tool) if name in action.arguments]
            if given:
                return str(given[0])
    return ""


def _name(thing: str, rng: random.Random) -> str:
    kind = nature(thing)
    if kind in ("person", "document"):
        return people.person(rng)
    return people.company(rng) if kind in ("company", "money") else f"{people.place_name(rng)} {thing}"


def _new_id(made: System, thing: str, rng: random.Random) -> str | int:
    return rng.randint(1000, 9899) if made.numeric(thing) else code(rng, thing)


def _varied(key: Any, rng: random.Random) -> Any:
    """An id of the same form."""
    if isinstance(key, int):
        return rng.randint(1000, 9899)
    made = re.sub(r"\d", lambda _: str(rng.randint(1, 9)), str(key))
    return made if made != key else f"{key}-{rng.randint(1000, 9899)}"


def _format(made: System, thing: str) -> Json:
    prefix = "" if made.numeric(thing) else "".join(word[:2] for word in thing.split())[:4].upper() + "-"
    return {"format": f"{prefix}{{n:5}}", "next": _FIRST_NEW, "step": 1}


def _code(made: System) -> str:
    tools = {name: _meant(made, tool) for name, tool in made.box.tools.items()}
    functions = (
        f"function {name}(state, args) {{\n"
        f'  return refusal(state, "{name}", args) ?? {_GENERIC[tool.kind]}(state, "{name}", args);\n}}'
        for name, tool in made.box.tools.items()
    )
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(meant)}" for name, meant in tools.items())
    return f"const TOOLS = {{\n{lines}\n}};\n{_generic()}\n" + "\n".join(functions)


@cache
def _generic() -> str:
    return files("offline_teacher.worlds").joinpath("functions.js").read_text(encoding="utf-8")


def _meant(made: System, tool: Tool) -> Json:
    thing, about = made.worked_on(tool), own(tool)
    done = english.past(tool.verb).replace(" ", "_")
    return {
        "table": table(thing),
        "key": made.key(thing),
        "numeric": made.numeric(thing),
        "own": about.name if about and tool.kind in ("read", "change") else None,
        "ids": {param.name: table(made.thing(param.entity)) for param in ids(tool)},
        "words": words(tool) if tool.kind == "find" else [],
        "final": tool.final,
        "status": done if tool.final else None,
        "needs": [] if tool.kind in ("find", "read") else _needs(made, tool),
        "limits": {param.name: param.schema for param in tool.params},
    }


def _needs(made: System, tool: Tool) -> list[str]:
    """Writes that have to come first. That something was looked at leaves no trace in a state."""
    needed = [after for name, after in made.requires if name == tool.name]
    return [name for name in needed if made.box.tools[name].kind in ("create", "change")]


def _rules(made: System, text: str) -> list[Json]:
    """Orders and limits, with the sentence that states them where the text has one."""
    sentences = [sentence.text for sentence in analyse(text).sentences if sentence.text in text]
    rules: list[Json] = []
    for tool in made.box.tools.values():
        for after in _needs(made, tool):
            quote = _stating(sentences, tool, made.box.tools[after])
            rules.append(_rule(f"{tool.name} only after {after}.", quote, tool))
        for param in tool.params:
            said = str(param.schema.get("description", "")).partition(": ")[2]
            if said and (quote := next((each for each in sentences if said.rstrip(".") in each), None)):
                rules.append(_rule(f"{english.spoken(param.name)}: {said}", quote, tool))
    return rules


def _stating(sentences: list[str], tool: Tool, after: Tool) -> str | None:
    """The sentence of the text that has both verbs and says an order."""
    verbs = [re.compile(rf"\b{re.escape(each.verb.rstrip('e'))}", re.IGNORECASE) for each in (tool, after)]
    return next((each for each in sentences if _ORDER.search(each) and all(verb.search(each) for verb in verbs)), None)


def _rule(text: str, quote: str | None, tool: Tool) -> Json:
    return {"text": text, "quote": quote, "tools": [tool.name]}
