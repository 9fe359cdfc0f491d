"""The conversation as it is written. Keeps the turn grammar, counts calls, and knows what has been said."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts.dialogue import render_trajectory
from gem_tasks.prompts.tags import neutral
from offline_teacher.talk.grounding import Grounds, Leaf, leaves
from offline_teacher.talk.shapes import choices

_TEMPLATE_TOKEN = re.compile(r"<(?=\|)|<(?=/?tool_(?:call|response)>)|\[(?=/?INST\])")
_TELLING = 4
"""Shorter strings may stand anywhere by chance."""
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
    told: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """`(parameter, value)` that the user has given."""
    _learnt: Grounds = field(default_factory=Grounds)
    """What the user has said and the tools have returned: without the rules of the system turn."""
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

    @property
    def silent(self) -> bool:
        """Whether the assistant has nothing held back."""
        return not self._held

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

    def replay(self, message: Message) -> None:
        """A message of another conversation as it is; words of the same speaker flow together."""
        self.flush()
        if message.content and message.role in ("user", "assistant") and not message.tool_calls:
            self._speak(message.role, message.content)
            return
        content = clean(message.content or "") or None
        if message.role == "assistant" and self.last == "assistant":
            content = f"{self.messages.pop().content} {content or ''}".strip()
        self._add(message.model_copy(update={"content": content}))

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
        """The values of a call that nobody has given for it yet; what stands somewhere by chance is not given."""
        return [leaf for leaf in leaves(arguments, tool.parameters, tool.parameters) if not self._given(leaf)]

    def tell(self, found: Iterable[Leaf], words: str) -> None:
        """The user gives values, in these words."""
        self.told.update((leaf.name, str(leaf.value)) for leaf in found)
        self.user(words)

    def _given(self, leaf: Leaf) -> bool:
        value, options = leaf.value, choices(leaf.schema)
        if value is None or isinstance(value, bool) or options == [value] or value == leaf.schema.get("default"):
            return True
        if (leaf.name, str(value)) in self.told:
            return True
        named = isinstance(value, str) and len(value) >= _TELLING and not options
        return (named or leaf.name.lower().endswith(("id", "ids"))) and self._learnt.has(value)

    def reword(self, text: str) -> None:
        """Changes what the user has just said."""
        self.messages[-1] = self.messages[-1].model_copy(update={"content": clean(text).strip()})
        self.grounds, self._learnt = Grounds(), Grounds()
        for message in self.messages:
            self._ground(message)

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
        self._ground(message)

    def _ground(self, message: Message) -> None:
        """What the assistant says proves nothing: it could have made it up."""
        if message.content and message.role != "assistant":
            self.grounds.add(message.content)
            if message.role != "system":
                self._learnt.add(message.content)
