"""The cases: every turn of the assistant that a model can be asked for, with the reference. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from heapq import nsmallest
from itertools import accumulate
from typing import NamedTuple

from gem_tasks.checks.schema import faults_by_keyword
from gem_tasks.corpus.segment import count_tokens
from gem_tasks.domain.trajectory import Message
from gem_tasks.evals.calls.conversations import Conversation, LeftOut
from gem_tasks.evals.calls.kinds import Kind, kind_of

_ID = 12


class Turn(NamedTuple):
    """A turn of the assistant; the messages before it are given."""

    conversation: Conversation
    at: int
    """Position of its message."""
    kind: Kind

    @property
    def case_id(self) -> str:
        """`conversation/position`."""
        return f"{self.conversation.name}/{self.at}"

    @property
    def reference(self) -> Message:
        """What the assistant did there."""
        return self.conversation.trajectory.messages[self.at]

    @property
    def context(self) -> tuple[Message, ...]:
        """Everything before."""
        return self.conversation.trajectory.messages[: self.at]


def conversation_of(case_id: str) -> str:
    """The name of a case's conversation."""
    return case_id.rpartition("/")[0]


def turns_of(conversations: Iterable[Conversation], max_context: int, left_out: LeftOut) -> Iterator[Turn]:
    """All turns that measure something, conversation by conversation.

    Args:
        conversations: with tools.
        max_context: most tokens before a turn, as estimated, tools included.
        left_out: gets the turns that measure nothing.
    """
    return (turn for each in conversations for turn in _turns(each, max_context, left_out))


def chosen(turns: Iterable[Turn], most: int | None) -> list[Turn]:
    """Up to this many turns, spread over all conversations, the same ones for every model; in the same order."""
    if most is None:
        return list(turns)
    ranked = ((sha256(turn.case_id.encode()).digest(), at, turn) for at, turn in enumerate(turns))
    return [turn for _, _, turn in sorted(nsmallest(most, ranked), key=lambda each: each[1])]


def set_id(turns: Sequence[Turn]) -> str:
    """Names the turns by their content: scores of different sets are not comparable."""
    digest = sha256()
    for conversation in {turn.conversation.name: turn.conversation for turn in turns}.values():
        digest.update(conversation.trajectory.model_dump_json().encode("utf-8", "replace"))
    digest.update("\n".join(turn.case_id for turn in turns).encode("utf-8", "replace"))
    return digest.hexdigest()[:_ID]


def _turns(conversation: Conversation, max_context: int, left_out: LeftOut) -> Iterator[Turn]:
    trajectory = conversation.trajectory
    tools = count_tokens("".join(json.dumps(tool.model_dump()) for tool in trajectory.tools))
    before = list(accumulate(map(_tokens, trajectory.messages), initial=tools))
    for at, message in enumerate(trajectory.messages):
        if message.role != "assistant":
            continue
        reason, detail = _unfit(conversation, at)
        if not reason and before[at] > max_context:
            reason, detail = "too_long", f"{before[at]} tokens before it"
        if reason:
            left_out.add(reason, f"{conversation.origin}, message {at + 1}", detail)
        else:
            yield Turn(conversation, at, kind_of(message))


def _unfit(conversation: Conversation, at: int) -> tuple[str, str]:
    """Why a turn measures nothing, and the detail; empty if it measures something."""
    message, before = conversation.trajectory.messages[at], conversation.trajectory.messages[:at]
    if not message.tool_calls and not (message.content or "").strip():
        return "empty_turn", ""
    if not any(each.role == "user" for each in before) or before[-1].role not in ("user", "tool"):
        return "nothing_to_answer", ""
    for call in message.tool_calls:
        tool = conversation.trajectory.tool(call.name)
        if tool is None:
            return "unknown_tool", call.name
        if fault := next(faults_by_keyword(tool, call.arguments), None):
            return "invalid_call", f"{call.name}: {fault.detail}"
    return "", ""


def _tokens(message: Message) -> int:
    calls = "".join(call.name + json.dumps(call.arguments, ensure_ascii=False) for call in message.tool_calls)
    return count_tokens((message.content or "") + calls)
