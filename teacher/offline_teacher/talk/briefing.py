"""The refined system turn: the draft's rules numbered and grouped, then the tables behind the tools."""

import re
from collections.abc import Iterable, Sequence

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.talk.neighbours import MOST_LISTED, Neighbours
from offline_teacher.talk.scene import Scene

_NUMBERED = re.compile(r"^\s*(\d{1,3})[.)]\s+(\S.*)$")
_CITED = re.compile(r"\b([Rr]ule )(\d{1,3})\b")
_GROUPS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("How you work", re.compile(r"clear yes|only IDs|read .* back|at most \d+ entries at a time|by yourself", re.I)),
    ("Limits and amounts", re.compile(r"\d|at most|at least|maximum|minimum|no more than|within|exceed|limit", re.I)),
    (
        "What is not allowed",
        re.compile(r"cannot|can't|must not|may not|not possible|never|not allowed|do not|don't", re.I),
    ),
    ("Order and conditions", re.compile(r"before|after|first|until|unless|prerequisite|already|once|if ", re.I)),
)
_REST = "What has to be observed"
_ORDER = (_REST, "Order and conditions", "Limits and amounts", "What is not allowed", "How you work")


def split_system(text: str) -> tuple[str, list[tuple[int, str]]]:
    """`(everything before the rules, numbered rules)` of a system turn; no rules if none are numbered."""
    head: list[str] = []
    rules: list[tuple[int, str]] = []
    for line in text.splitlines():
        if match := _NUMBERED.match(line):
            rules.append((int(match[1]), match[2].strip()))
        elif not rules:
            head.append(line)
    while head and (not head[-1].strip() or head[-1].strip().lower().rstrip(":") in ("rules", "# rules")):
        head.pop()
    return "\n".join(head), rules


def grouped(rules: Iterable[tuple[int, str]], more: Sequence[str]) -> tuple[str, dict[int, int], list[str]]:
    """The rules by group.

    Returns:
        The written list, the new number of every old one, and all texts in their new order.
    """
    boxes: dict[str, list[tuple[int, str]]] = {}
    for number, text in [*rules, *((0, text) for text in more)]:
        name = next((name for name, marks in _GROUPS if marks.search(text)), _REST)
        boxes.setdefault(name, []).append((number, text))
    lines: list[str] = []
    renumbered: dict[int, int] = {}
    texts: list[str] = []
    for name in _ORDER:
        if name in boxes:
            lines.append(f"{name}:")
        for number, text in boxes.get(name, []):
            texts.append(text)
            if number:
                renumbered.setdefault(number, len(texts))
            lines.append(f"{len(texts)}. {text}")
    return "\n".join(lines), renumbered, texts


def recited(text: str, renumbered: dict[int, int]) -> str:
    """A message with the numbers of the rules it cites brought up to date."""
    return _CITED.sub(lambda match: f"{match[1]}{renumbered.get(int(match[2]), int(match[2]))}", text)


def own_rules(scene: Scene, tools: Neighbours) -> list[str]:
    """Rules that come with the added tools."""
    found = [f"Lists return at most {MOST_LISTED} entries at a time."]
    if tools.handover is not None:
        found.append(
            f"Before {english.a(scene.entity)} is handed to somebody else, read the colleague and the note back "
            "to the user."
        )
    return found


def tables(scene: Scene, tools: Neighbours) -> str:
    """The data behind the tools: tables, key fields, states."""
    found: dict[str, Json] = {}
    for name, row in scene.memory.rows.items():
        key = scene.memory.keys[name]
        found.setdefault(key, {}).update({**row, **scene.besides(name)})
    main = found.setdefault(scene.key, dict(scene.main))
    main |= {"status": "", "changed_on": "", "branch": "", "priority": "", **{name: "" for name in scene.besides("")}}
    lines = [_table(key, row) for key, row in list(found.items())[:8]]
    many = english.many(scene.entity).replace(" ", "_")
    lines.append(f"- {scene.entity.replace(' ', '_')}_history: {scene.key} (refers to {many}), on, action, by")
    if tools.staff is not None:
        lines.append("- staff: staff_number (key), name, branch, department")
    states = ", ".join(scene.statuses)
    return "\n".join([*lines, f"States of {english.a(scene.entity)}: {states}. Priorities: low, normal, high."])


def _table(key: str, row: Json) -> str:
    words = english.split_name(key)[:-1] or ["record"]
    fields = [
        name for name, given in row.items() if name not in (key, "total_count") and not isinstance(given, dict | list)
    ]
    return f"- {english.many(' '.join(words)).replace(' ', '_')}: {', '.join([f'{key} (key)', *fields[:12]])}"
