"""The conversation as it is written. Keeps the turn grammar, counts calls, and knows what has been said."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts.dialogue import render_trajectory
from gem_tasks.prompts.tags import neutral
from gem_tasks.teacher.talk.grounding import Grounds, Leaf, leaves

_TEMPLATE_TOKEN = re.compile(r"<(?=\|)|<(?=/?tool_(?:call|response)>)|\[(?=/?INST\])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean(text: str) -> str:
    """Text that cannot be taken for a tag of ours, a chat template's token, or broken Unicode."""
    sound = _CONTROL.sub(" ", text).encode("utf-8", "replace").decode()
    return _TEMPLATE_TOKEN.sub(lambda match: "&lt;" if match[0] == "<" else "(", neutral(sound))


def clean_value(value: Any) -> Any:
    """The same for every string inside a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_value(part) for part in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {clean(key): clean_value(part) for key, part in cast(Json, value).items()}
    return value


@dataclass(frozen=True, slots=True)
class Call:
    """A call and what the tool answers."""

    tool: ToolSpec
    arguments: Json
    response: Json


@dataclass
class Script:
    """Messages in a legal order, whatever is said when: turns of the same speaker flow together."""

    messages: list[Message] = field(default_factory=list[Message])
    grounds: Grounds = field(default_factory=Grounds)
    results: list[tuple[str, Json, Json]] = field(default_factory=list[tuple[str, Json, Json]])
    """`(tool name, arguments, response)` of every call so far."""
    _held: list[str] = field(default_factory=list[str])

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return len(self.results)

    @property
    def last(self) -> str:
        """`system`, `user`, `assistant` or `tool`; empty at the beginning."""
        return self.messages[-1].role if self.messages else ""

    def system(self, text: str) -> None:
        """The first message."""
        self._add(Message(role="system", content=clean(text).strip()))

    def user(self, text: str) -> None:
        """The user speaks; what the assistant still holds back is said first."""
        self.flush()
        self._speak("user", text)

    def hold(self, text: str) -> None:
        """Words for the assistant's next turn, whatever that turn is."""
        if text:
            self._held.append(text)

    def assistant(self, text: str) -> None:
        """The assistant speaks to the user, after what it held back."""
        self.hold(text)
        self.flush()

    def flush(self) -> None:
        """Says what is held back, as a turn without calls."""
        if self._held:
            text, self._held = " ".join(self._held), []
            self._speak("assistant", text)

    def call(self, *calls: Call, words: str = "") -> None:
        """One assistant turn with calls, and their answers in the same order."""
        self.hold(words)
        text, self._held = clean(" ".join(self._held)).strip(), []
        if self.last == "assistant":
            text = f"{self.messages.pop().content} {text}".strip()
        made = [
            ToolCall(id=f"call_{self.calls + index}", name=call.tool.name, arguments=call.arguments)
            for index, call in enumerate(calls, start=1)
        ]
        self._add(Message(role="assistant", content=text or None, tool_calls=tuple(made)))
        for call, tool_call in zip(calls, made, strict=True):
            response = clean_value(call.response)
            self.results.append((call.tool.name, call.arguments, response))
            content = json.dumps(response, ensure_ascii=False)
            self._add(Message(role="tool", content=content, tool_call_id=tool_call.id))

    def unsaid(self, tool: ToolSpec, arguments: Json) -> list[Leaf]:
        """The values of a call that nobody has mentioned yet."""
        found = leaves(arguments, tool.parameters, tool.parameters)
        return [leaf for leaf in found if not self.grounds.holds(leaf) or self._unchosen(leaf)]

    def _unchosen(self, leaf: Leaf) -> bool:
        """An option of several still has to be chosen by somebody."""
        options = leaf.schema.get("enum")
        many = isinstance(options, list) and len(cast("list[Any]", options)) > 1
        return many and isinstance(leaf.value, str) and "default" not in leaf.schema and not self.grounds.has(leaf.value)

    def render(self) -> str:
        """The whole conversation in its written form."""
        self.flush()
        return render_trajectory(self.messages)

    def _speak(self, role: str, text: str) -> None:
        said = clean(text).strip()
        if not said:
            return
        if self.last == role and not self.messages[-1].tool_calls:
            said = f"{self.messages.pop().content} {said}"
        self._add(Message(role=cast(Any, role), content=said))

    def _add(self, message: Message) -> None:
        self.messages.append(message)
        if message.content:
            self.grounds.add(message.content)
