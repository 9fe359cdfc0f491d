"""Counts what code can tell with certainty about every conversation of a version, beside its plan. Pure."""

import json
from collections.abc import Mapping, Sequence

from gem_tasks.checks.reading.case import failed, parsed
from gem_tasks.corpus.text.language import detect
from gem_tasks.domain.base import Json
from gem_tasks.domain.realised import Options, Realised, tallied
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.plans import Menus

_NUMBERS = ("messages", "user_turns")
_LANGUAGES = {"english", "text"}
"""Options of `language` whose meaning code knows."""
_QUESTIONS = ("?", "？", "؟")
Facts = Mapping[str, str | int]
"""`Plan.facts`."""


def has_tool_error(messages: Sequence[Message]) -> bool:
    """Whether a result reports an error."""
    return any(
        message.role == "tool" and failed(parsed(message.content), message.content or "") for message in messages
    )


class Counting:
    """Reads conversations one by one; memory does not grow with their number.

    Args:
        menus: those from which the plans were drawn.
    """

    def __init__(self, menus: Menus) -> None:
        self._menus = menus
        self._options: Options = {}
        self._sums = {name: [0, 0] for name in _NUMBERS}
        self._conversations = self._planned = self._errors = self._questions = 0

    def add(self, messages: Sequence[Message], planned: Facts | None, language: str | None) -> None:
        """Takes one in.

        Args:
            messages: of the conversation.
            planned: facts of its plan, if it has one.
            language: of the text, ISO 639-1.
        """
        facts = planned or {}
        self._conversations += 1
        self._errors += has_tool_error(messages)
        self._questions += bool(messages) and (messages[-1].content or "").rstrip().endswith(_QUESTIONS)
        turns = sum(message.role == "user" for message in messages)
        real = {
            "parallel_calls": "yes" if any(len(message.tool_calls) > 1 for message in messages) else "no",
            "length": self._length(len(messages)),
            "language": self._language(messages, facts.get("language"), language),
        }
        for menu, option in real.items():
            if option and option in self._menus.by_name[menu]:
                wanted = facts.get(menu)
                tallied(self._options, menu, None if wanted is None else str(wanted), option)
        self._planned += bool(facts)
        for name, number in zip(_NUMBERS, (len(messages), turns), strict=True):
            if facts:
                self._sums[name][0] += int(facts.get(name, 0))
                self._sums[name][1] += number

    def counted(self, not_judged: str) -> Realised:
        """The counts so far; `not_judged` says why there is no more."""
        count = self._planned
        means = {name: (round(a / count, 1), round(b / count, 1)) for name, (a, b) in self._sums.items() if count}
        return Realised(
            conversations=self._conversations,
            by_code=self._options,
            tool_error=self._errors,
            last_question=self._questions,
            means=means,
            not_judged=not_judged,
        )

    def _length(self, messages: int) -> str:
        """The option whose range it is in, or is nearest to."""

        def off(name: str) -> tuple[int, str]:
            least, most = self._menus.length[name].messages
            return max(least - messages, messages - most, 0), name

        return min(self._menus.length, key=off)

    def _language(self, messages: Sequence[Message], planned: object, text: str | None) -> str | None:
        """None if the menu has options of the user's own, or the user said too little to tell."""
        if not self._menus.language.keys() <= _LANGUAGES:
            return None
        spoken = detect(" ".join(message.content or "" for message in messages if message.role == "user"))
        if spoken == "en":
            return "text" if planned == "text" and text == "en" else "english"
        return "text" if spoken and spoken == text else None


def messages_of(row: Json) -> list[Message]:
    """The messages of a published conversation, from the form of the Chat Completions API."""
    return [
        Message(
            role=each["role"],
            content=each.get("content"),
            tool_calls=tuple(_call(call) for call in each.get("tool_calls") or ()),
            tool_call_id=each.get("tool_call_id"),
        )
        for each in row["messages"]
    ]


def _call(call: Json) -> ToolCall:
    return ToolCall(
        id=call["id"], name=call["function"]["name"], arguments=json.loads(call["function"]["arguments"] or "{}")
    )
