"""Values that a reference writes and that the assistant cannot know: the wishes do not determine its end.

Only noted, never refused: a person says "twelve" or "the Friday after", and a program cannot tell that from a guess.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from gem_tasks.worlds.goals.leaves import Leaf, composed, leaves
from gem_tasks.worlds.goals.run import Run, refused, told
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.task import Task
from gem_tasks.worlds.world import World

_WORD = re.compile(r"\w{1,64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COUNTED = 31
"""Numbers up to it are said in words, or counted from a list."""
_UNITS = 1, 10, 12, 60, 100, 1000, 1024
"""What people say in another unit: 2 MB, half a year, 5 %."""


def from_nothing(task: Task, run: Run, world: World) -> Iterator[str]:
    """Arguments of the changes of a reference that neither task, results before them nor schemas contain."""
    tools = {tool.name: tool for tool in world.tools}
    known = " ".join(
        [task.persona, task.system, *task.knows, *task.deeds.values(), *(wish.text for wish in task.wishes)]
    )
    for step, answer in zip(run.steps, run.answers, strict=True):
        if not isinstance(step, Call):
            continue
        tool = tools.get(step.name)
        if tool and not tool.reads and not refused(answer):
            words = _words(f"{known} {json.dumps(tool.parameters, ensure_ascii=False)}")
            for leaf in leaves(step.arguments, tool.parameters):
                if not _excused(leaf, task) and not _known(leaf.value, words):
                    yield f"{'.'.join(map(str, leaf.path))} of {told(step)} follows from nothing"
        known += f" {json.dumps(answer.result, ensure_ascii=False)}"


def _excused(leaf: Leaf, task: Task) -> bool:
    """What is chosen from a list, worded by the assistant, or compared with nothing."""
    chosen = isinstance(leaf.value, bool) or leaf.value is None or {"enum", "const"} & leaf.schema.keys()
    return bool(chosen) or composed(leaf) or leaf.path[-1] in task.volatile


def _known(value: Any, words: set[str]) -> bool:
    if isinstance(value, str):
        return bool(_DATE.match(value)) or _words(value) <= words
    return (
        abs(value) <= _COUNTED
        or any(_digits(value * unit) in words for unit in _UNITS)
        or any(_digits(value / unit) in words for unit in _UNITS)
    )


def _digits(number: float) -> str:
    """As it stands in a text without separators."""
    return re.sub(r"\D", "", f"{number:g}" if abs(number) < 1e6 else str(number))


def _words(text: str) -> set[str]:
    """Words without case, and numbers without separators and trailing zeros of a fraction."""
    lower = text.casefold()
    joined = re.sub(r"(?<=\d)[.,'\u202f\u00a0 ](?=\d)", "", lower)
    return set(_WORD.findall(lower)) | set(_WORD.findall(joined)) | {each.rstrip("0") for each in _WORD.findall(joined)}
