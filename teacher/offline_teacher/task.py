"""Task: the planned calls in order, each a wish; once undisturbed, and once with a service that fails at first."""

import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.reading.analyse import analyse
from offline_teacher.talk import people, rules
from offline_teacher.worlds.plan import Planned, planned
from offline_teacher.worlds.system import system, table
from offline_teacher.worlds.wishes import wish

_PATH = re.compile(r"\$\d+\.")


def answer(sections: dict[str, str], seed: int) -> str:
    """The `<task>` of `prompts/task.md` for the sections `workflow`, `tools` and `text`."""
    made, setting = system(sections), people.setting(random.Random(seed))  # noqa: S311 - reproducible, not secret
    plan = planned(made)
    user = setting.user
    parts = {
        "title": english.sentence(english.join([each.tool.action() for each in plan if _writes(each)][:3])),
        "system": _system(setting, sections.get("text", "")),
        "persona": f"{user.name}, {user.role} at {setting.organisation}. States one wish a message, with its details.",
        "wishes": json.dumps(_wishes(plan), ensure_ascii=False),
        "knows": json.dumps([f"{name}: {value}" for each in plan for name, value in each.said.items()]),
        "deeds": "{}",
        "outcome": json.dumps({"tables": [table(thing) for thing in made.things], "volatile": []}),
        "conditions": "[]",
        "variants": json.dumps(list(_variants(plan)), ensure_ascii=False),
    }
    body = "\n".join(f"<{tag}>{content}</{tag}>" for tag, content in parts.items())
    return f"<task>\n{body}\n</task>"


def _writes(call: Planned) -> bool:
    return call.tool.kind in ("create", "change")


def _system(setting: people.Setting, text: str) -> str:
    listed = "\n".join(f"{rule.number}. {rule.text}" for rule in rules.numbered(analyse(text)))
    user = setting.user
    who = f"You are the assistant of {setting.organisation}. You talk to {user.name} ({user.role}, {user.email})."
    return f"{who} Use the tools for what is asked.\n\nRules:\n{listed}" if listed else who


def _wishes(plan: Sequence[Planned]) -> list[Json]:
    return [
        {"text": wish(each.tool, each.said), "reveal": f"after {number} is done" if number else "first"}
        for number, each in enumerate(plan)
    ]


def _variants(plan: Sequence[Planned]) -> Iterator[Json]:
    usual: Json = {"name": "undisturbed", "ending": "done", "events": {}, "faults": []}
    yield {**usual, "reference": _reference(plan, None)}
    first = next((index for index, each in enumerate(plan) if _writes(each)), None)
    if first is not None:
        fault = {"tool": plan[first].tool.name, "kind": "unavailable", "times": 1}
        yield {**usual, "name": "unavailable", "faults": [fault], "reference": _reference(plan, first)}


def _reference(plan: Sequence[Planned], twice: int | None) -> list[Json]:
    """The plan's calls, one of them twice, so that later calls have other numbers."""
    steps: list[Json] = []
    for index, each in enumerate(plan):
        call = {"call": {"name": each.tool.name, "arguments": _moved(each.arguments, twice)}}
        steps += [{"turn": each.tool.action(known=True)}, call, *([call] if index == twice else [])]
    return steps


def _moved(value: Any, twice: int | None) -> Any:
    """The same paths after call number `twice + 1` happened once more."""
    if isinstance(value, dict):
        return {name: _moved(part, twice) for name, part in cast(Json, value).items()}
    if isinstance(value, list):
        return [_moved(part, twice) for part in cast("list[Any]", value)]
    if twice is None or not (isinstance(value, str) and _PATH.match(value)):
        return value
    number, _, rest = value[1:].partition(".")
    return f"${int(number) + (int(number) > twice)}.{rest}"
