"""The requests for turns: tools in the endpoint's form or in tags, in an order that lets servers cache. Pure."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby

from gem_tasks.domain.chat import ChatMessage, ChatRequest, FunctionCall, Sampling, Toolbox
from gem_tasks.domain.trajectory import Message
from gem_tasks.evals.calls.conversations import Conversation
from gem_tasks.evals.calls.turns import Turn
from gem_tasks.prompts import Prompt
from gem_tasks.prompts.dialogue import render_tools
from gem_tasks.prompts.tool_form import in_tags

FORM = "simulate"
"""The prompt that explains calls in tags."""


def interleaved(turns: Sequence[Turn], at_once: int) -> Iterator[Turn]:
    """The turns, a few conversations at a time, each in its order.

    So that what a turn shares with the one before is in the server's cache, and not yet displaced, when it is asked.
    """
    waiting = deque(deque(each) for _, each in groupby(turns, key=lambda turn: turn.conversation.name))
    active: deque[deque[Turn]] = deque()
    while waiting or active:
        while waiting and len(active) < at_once:
            active.append(waiting.popleft())
        conversation = active.popleft()
        yield conversation.popleft()
        if conversation:
            active.append(conversation)


Prepared = tuple[tuple[ChatMessage, ...], Toolbox]
"""All messages and the tools of a conversation."""
_MOST_PREPARED = 256


class Asker:
    """Writes the requests of a run.

    Args:
        model: name of the model at the endpoint.
        sampling: of all requests.
        form: the prompt of `FORM`.
        native: whether tools are sent in the endpoint's form; otherwise, and where it refuses them, in tags.
    """

    def __init__(self, model: str, sampling: Sampling, form: Prompt, *, native: bool) -> None:
        self._model, self._sampling, self._form, self._native = model, sampling, form, native
        self._prepared: dict[str, Prepared] = {}

    def request(self, turn: Turn) -> ChatRequest:
        """Asks for the turn; thoughts of earlier turns are left out."""
        messages, toolbox = self._prepared.get(turn.conversation.name) or self._prepare(turn.conversation)
        asked = ChatRequest(
            model=self._model,
            messages=messages[: turn.at],
            sampling=self._sampling,
            toolbox=toolbox,
            conversation=turn.conversation.name,
        )
        return asked if self._native else in_tags(asked)

    def _prepare(self, conversation: Conversation) -> Prepared:
        if len(self._prepared) >= _MOST_PREPARED:
            del self._prepared[next(iter(self._prepared))]
        tools = conversation.trajectory.tools
        form = f"{self._form.text.strip()}\n\n{render_tools(tools)}"
        toolbox = Toolbox(tools=tuple(tool.to_openai() for tool in tools), form=form)
        found = tuple(map(_message, conversation.trajectory.messages)), toolbox
        self._prepared[conversation.name] = found
        return found


def _message(message: Message) -> ChatMessage:
    calls = (call.to_openai() for call in message.tool_calls)
    made = tuple(FunctionCall(id=call["id"], **call["function"]) for call in calls)
    content = message.content or ""
    return ChatMessage(role=message.role, content=content, tool_calls=made, tool_call_id=message.tool_call_id)
