"""The conversation as it happened, and the steps that replay it."""

import json
from collections.abc import Iterable, Sequence

from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.simulate.reading import AssistantTurn, UserTurn
from gem_tasks.simulate.scene import Judged, Scene
from gem_tasks.worlds.played import Execution, Played
from gem_tasks.worlds.steps import Call, Deed, Step, Turn


class Transcript:
    """Messages and steps so far."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.messages = [Message(role="system", content=scene.task.system)]
        self.steps: list[Step] = []
        self.calls = self.turns = 0

    def user(self, turn: UserTurn) -> Sequence[Step]:
        """Adds a message of the user; returns its steps."""
        steps = [*(Deed(name=name) for name in turn.deeds), Turn()]
        self.messages.append(Message(role="user", content=turn.words))
        self.turns += 1
        self.steps += steps
        return steps

    def assistant(self, turn: AssistantTurn) -> Sequence[Step]:
        """Adds a turn of the assistant; returns the steps of its calls."""
        calls = tuple(
            ToolCall(id=f"call_{at}", name=call.written.name, arguments=call.arguments)
            for at, call in enumerate(turn.calls, self.calls + 1)
        )
        self.messages.append(Message(role="assistant", content=turn.words or None, tool_calls=calls))
        self.calls += len(calls)
        steps = [Call(name=call.name, arguments=call.arguments) for call in calls]
        self.steps += steps
        return steps

    def results(self, results: Iterable[str]) -> None:
        """Adds the results of the last turn's calls."""
        called = self.messages[-1].tool_calls
        for call, result in zip(called, results, strict=True):
            self.messages.append(Message(role="tool", content=result, tool_call_id=call.id))

    def said_since(self) -> str:
        """The assistant's words since the user spoke: all that the user sees."""
        words: list[str] = []
        for message in reversed(self.messages):
            if message.role == "user":
                break
            if message.role == "assistant" and message.content:
                words.append(message.content)
        return "\n\n".join(reversed(words))

    def played(self, judged: Judged) -> Played:
        """The conversation with what a replay needs."""
        scene = self._scene
        execution = Execution(
            world=scene.world,
            task=scene.index,
            variant=scene.variant,
            seed=scene.seed,
            steps=tuple(self.steps),
            reached=judged.reached,
            reasons=judged.reasons,
        )
        return Played(tools=scene.tools, messages=tuple(self.messages), execution=execution)


def as_text(result: Json | None) -> str:
    """A result as the players and the conversation have it."""
    return json.dumps(result, ensure_ascii=False)
