"""Builds a conversation turn by turn and keeps its grammar: whoever just spoke goes on in the same message."""

import json
import re
from typing import Any

from gem_tasks.domain.trajectory import Message, ToolCall

Call = tuple[str, dict[str, Any]]


def safe(text: str) -> str:
    """Words from documents and tools without anything that could pass for a tag or a chat-template token."""
    return re.sub(r"\[(/?INST)\]", r"(\1)", text.replace("<", "‹").replace(">", "›"))


class Talk:
    """The conversation so far. All text put in is made safe."""

    def __init__(self, system: str) -> None:
        self.messages: list[Message] = [Message(role="system", content=safe(system))]
        self._calls = 0
        self._said = safe(system).lower()

    def user(self, text: str) -> None:
        """The user speaks."""
        self._speak("user", text)

    def assistant(self, text: str) -> None:
        """The assistant speaks."""
        self._speak("assistant", text)

    def use(self, calls: list[Call], results: list[Any]) -> None:
        """The assistant calls tools, in parallel if several, and they answer; words just said go before the calls."""
        made: list[ToolCall] = []
        for name, arguments in calls:
            self._calls += 1
            made.append(ToolCall(id=f"call_{self._calls}", name=name, arguments=arguments))
        words = None
        if self.messages[-1].role == "assistant" and not self.messages[-1].tool_calls:
            words = self.messages.pop().content
        self.messages.append(Message(role="assistant", content=words, tool_calls=tuple(made)))
        for call, result in zip(made, results, strict=True):
            content = safe(json.dumps(result, ensure_ascii=False))
            self._said += "\n" + content.lower()
            self.messages.append(Message(role="tool", content=content, tool_call_id=call.id))

    def known(self, value: Any) -> bool:
        """Whether a value has been said, or returned by a tool."""
        return safe(str(value)).lower() in self._said

    def _speak(self, role: Any, text: str) -> None:
        text = safe(" ".join(text.split()))
        self._said += "\n" + text.lower()
        last = self.messages[-1]
        if last.role == role and not last.tool_calls:
            self.messages[-1] = last.model_copy(update={"content": f"{last.content} {text}"})
        else:
            self.messages.append(Message(role=role, content=text))
