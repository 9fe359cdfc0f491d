"""What each player has seen. A context grows only at its end, so that a server can cache what was sent before."""

import json
from collections.abc import Iterable

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion, FunctionCall, Toolbox
from gem_tasks.domain.workflow import TOOL_NAME
from gem_tasks.prompts.dialogue import render_tools
from gem_tasks.prompts.tool_form import in_tags
from gem_tasks.simulate.reading import AssistantTurn, plain
from gem_tasks.simulate.scene import Player, Players, Scene
from gem_tasks.worlds.task import Task

_EMPTY = "(empty)"


class Context:
    """The messages of one player.

    Args:
        player: how its model is asked.
        conversation: of its requests.
        messages: the first messages.
        toolbox: functions that it may call.
    """

    def __init__(
        self, player: Player, conversation: str, messages: Iterable[ChatMessage], toolbox: Toolbox | None
    ) -> None:
        self._player, self._conversation, self._toolbox = player, conversation, toolbox
        self._messages = list(messages)

    @property
    def request(self) -> ChatRequest:
        """The request for its next turn."""
        asked = ChatRequest(
            model=self._player.model,
            messages=tuple(self._messages),
            sampling=self._player.sampling,
            toolbox=self._toolbox,
            conversation=self._conversation,
        )
        return asked if self._player.native else in_tags(asked)

    def hear(self, text: str) -> None:
        """Adds what the other player said."""
        self._messages.append(ChatMessage(role="user", content=text))

    def complain(self, answer: Completion, complaint: str) -> None:
        """Adds an unusable answer and why it is unusable; its calls get an error, as an API answers them."""
        place, refused = len(self._messages), answer.tool_calls if self._toolbox else ()
        calls = tuple(_echoed(call, f"r{place:04}{at:04}") for at, call in enumerate(refused))
        self.say(plain(answer.text) or ("" if calls else _EMPTY), calls, answer.endpoint_fields)
        error = json.dumps({"error": {"code": "INVALID_REQUEST", "message": complaint}}, ensure_ascii=False)
        for call in calls:
            self._messages.append(ChatMessage(role="tool", content=error, tool_call_id=call.id))
        if not calls:
            self.hear(f"[form] {complaint}")

    def say(self, text: str, calls: Iterable[FunctionCall] = (), fields: Json | None = None) -> None:
        """Adds the player's own turn, with the fields that its endpoint wants back."""
        said = ChatMessage(role="assistant", content=text, tool_calls=tuple(calls), endpoint_fields=fields or {})
        self._messages.append(said)

    def told(self, turn: AssistantTurn, results: Iterable[str]) -> None:
        """Adds the results of a turn's calls."""
        for call, result in zip(turn.calls, results, strict=True):
            self._messages.append(ChatMessage(role="tool", content=result, tool_call_id=call.written.id))


def _echoed(call: FunctionCall, own_id: str) -> FunctionCall:
    """A refused call as an endpoint accepts it in a history: some read its arguments, and fail."""
    try:
        readable = isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        readable = False
    name = call.name if TOOL_NAME.match(call.name) else "unnamed"
    return call.model_copy(update={"id": own_id, "name": name, "arguments": call.arguments if readable else "{}"})


def of_assistant(players: Players, scene: Scene) -> Context:
    """The assistant sees the task's system message and the tools: never variant, events, goal or code."""
    form = f"{players.form.text.strip()}\n\n{render_tools(scene.tools)}"
    toolbox = Toolbox(tools=tuple(tool.to_openai() for tool in scene.tools), form=form)
    system = ChatMessage(role="system", content=scene.task.system)
    return Context(players.assistant, scene.conversation, [system], toolbox)


def of_user(players: Players, scene: Scene) -> Context:
    """The user sees persona, wishes, what they know and their deeds: no calls or results."""
    return Context(players.user, scene.conversation, players.briefing.messages(**_brief(scene.task)), None)


def _brief(task: Task) -> dict[str, str]:
    wishes = [f"{at}. {wish.text}\n   When: {wish.reveal}" for at, wish in enumerate(task.wishes, 1)]
    deeds = [f"{name}: {words}" for name, words in task.deeds.items()]
    return {
        "persona": task.persona,
        "wishes": "\n".join(wishes),
        "what_you_know": "\n".join(f"- {fact}" for fact in task.knows) or "nothing else",
        "deeds": "\n".join(deeds) or "none",
    }
