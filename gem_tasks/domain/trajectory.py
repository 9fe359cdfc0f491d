"""Conversations that use tools, in the shape of the Chat Completions API."""

import json
from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.plan import Plan
from gem_tasks.domain.workflow import ToolSpec

Role = Literal["system", "user", "assistant", "tool"]


class ToolCall(Value):
    """One function call of an assistant message."""

    id: str
    name: str
    arguments: Json

    def to_openai(self) -> Json:
        """Arguments become a JSON string, as the API requires."""
        arguments = json.dumps(self.arguments, ensure_ascii=False)
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": arguments}}


class Message(Value):
    """One message. A tool message answers exactly one call, named by `tool_call_id`."""

    role: Role
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = Field(default=None, exclude_if=lambda found: found is None)
    """A private thought of the assistant before its words and calls, which no user sees. Absent from JSON if None, so
    that results without thoughts are the bytes that they were before there were any."""

    def to_openai(self) -> Json:
        """Only the keys that the API expects for this role, and `reasoning_content`, as most servers call thoughts."""
        message: Json = {"role": self.role, "content": self.content}
        if self.reasoning is not None:
            message["reasoning_content"] = self.reasoning
        if self.tool_calls:
            message["tool_calls"] = [call.to_openai() for call in self.tool_calls]
        if self.tool_call_id is not None:
            message["tool_call_id"] = self.tool_call_id
        return message


class Size(Value):
    """The three counts that the paper reports (section 4.1)."""

    messages: int
    tools: int
    calls: int


class Trajectory(Value):
    """Tools and a conversation that uses them; the system prompt is the first message."""

    tools: tuple[ToolSpec, ...]
    messages: tuple[Message, ...]

    @property
    def size(self) -> Size:
        """Messages (the system prompt counts), tools defined, calls made."""
        calls = sum(len(message.tool_calls) for message in self.messages)
        return Size(messages=len(self.messages), tools=len(self.tools), calls=calls)

    @property
    def measures(self) -> Json:
        """Figures for gates: the size, and the names of the called tools."""
        called = {call.name for message in self.messages for call in message.tool_calls}
        return {**self.size.model_dump(), "called": sorted(called)}

    @property
    def thoughts(self) -> Json:
        """How many turns the assistant has, and how many of them have a thought."""
        turns = [message for message in self.messages if message.role == "assistant"]
        return {"assistant_turns": len(turns), "thoughts": sum(turn.reasoning is not None for turn in turns)}

    def tool(self, name: str) -> ToolSpec | None:
        """The tool of that name, or None."""
        return next((tool for tool in self.tools if tool.name == name), None)


class Draft(Trajectory):
    """A conversation before its refinement, with the plan that it follows and its refinement keeps."""

    plan: Plan | None = None
    """None if it was made before there were plans."""

    @property
    def conversation(self) -> Trajectory:
        """Without the plan."""
        return Trajectory(tools=self.tools, messages=self.messages)
