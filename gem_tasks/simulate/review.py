"""What the user's words have from the task, and what they cannot have from anywhere. Measures, not verdicts.

A user who recites the task writes no natural messages; one who says a tool's name or an unseen identifier has seen what
only the assistant sees, or has invented it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from gem_tasks.checks.grounding.identifiers import is_code
from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.worlds.task import Task

_GRAM = 4
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"[^\s,;:!?()\[\]\"'„“”’*`]+")
_LETTERS_AND_DIGITS = re.compile(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])")
_COMPOSED = re.compile(r"[_-]|[a-z][A-Z]")
"""A tool's name that is not an ordinary word."""
_MOST = 20


def review(task: Task, tools: Iterable[ToolSpec], messages: Sequence[Message]) -> Json:
    """`copied`: share of the user's sequences of four words that are in the wishes; `leaks`: in words."""
    said = " \n ".join(message.content or "" for message in messages if message.role == "user")
    grams = list(_grams(said))
    wished = set(_grams(" \n ".join(wish.text for wish in task.wishes)))
    copied = sum(gram in wished for gram in grams) / len(grams) if grams else 0.0
    return {"copied": round(copied, 3), "leaks": list(_leaks(task, tools, messages))[:_MOST]}


def _grams(text: str) -> Iterator[tuple[str, ...]]:
    for line in text.splitlines():
        words = [word.casefold() for word in _WORD.findall(line)]
        yield from zip(*(words[at:] for at in range(_GRAM)), strict=False)


def _leaks(task: Task, tools: Iterable[ToolSpec], messages: Sequence[Message]) -> Iterator[str]:
    """Names of tools and codes in the user's words that neither the task nor the assistant's words have told."""
    names = {tool.name for tool in tools if _COMPOSED.search(tool.name)}
    wishes = (part for wish in task.wishes for part in (wish.text, wish.reveal))
    known = "\n".join([task.persona, *wishes, *task.knows, *task.deeds.values()]).casefold()
    for index, message in enumerate(messages):
        text = message.content or ""
        if message.role == "user":
            for word in dict.fromkeys(token.strip(".-") for token in _TOKEN.findall(text)):
                if word.casefold() not in known and (word in names or _is_code(word)):
                    yield f"message {index}: {'tool' if word in names else 'code'} {word[:60]}"
        if message.role in {"user", "assistant"}:
            known += "\n" + text.casefold()


def _is_code(word: str) -> bool:
    return is_code(word) and _LETTERS_AND_DIGITS.match(word) is not None and len(word) > 3
