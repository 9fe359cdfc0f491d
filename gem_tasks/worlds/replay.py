"""Whether a played conversation happened: its steps, taken once more, give the results that its messages tell."""

import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.played import Execution, Played
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import opened
from gem_tasks.worlds.steps import Answer, Call, Deed, Step, Turn
from gem_tasks.worlds.task import Task
from gem_tasks.worlds.world import World

_SHOWN = 160
"""Characters of a value in a difference."""
_TURN = "a message of the user"


def replays(played: Played, built: Built, task: Task, mode: SandboxMode = "auto") -> list[str]:
    """What differs if the conversation's steps are taken again; empty if nothing does.

    Args:
        played: the conversation.
        built: its world.
        task: its task.
        mode: strictness of the sandbox.
    """
    execution = played.execution
    if execution.world != built.world_id:
        return [f"it was played in the world {execution.world}, not in {built.world_id}"]
    if all(variant.name != execution.variant for variant in task.variants):
        return [f"the task has no variant {execution.variant!r}"]
    scenario = task.variant(execution.variant).scenario
    return differences(played.messages, execution, built.world, scenario, mode)


def differences(
    messages: Sequence[Message], execution: Execution, world: World, scenario: Scenario, mode: SandboxMode = "auto"
) -> list[str]:
    """What differs between a conversation and a replay of its steps in a world with a scenario."""
    if found := list(_other_steps(messages, execution.steps)):
        return found
    try:
        with opened(world, scenario, seed=execution.seed, mode=mode) as session:
            answers = session.take(execution.steps)
    except (RefusedWorldError, ValueError) as error:  # its code or a schema is invalid, or a deed is unknown
        return [f"the world cannot be replayed: {': '.join(map(str, error.args))}"]
    return list(_other_results(messages, execution.steps, answers))


def _other_steps(messages: Sequence[Message], steps: Sequence[Step]) -> Iterator[str]:
    """The first place where the messages have another call or turn than the steps."""
    done = (_told(step) for step in steps if not isinstance(step, Deed))
    for at, (said, step) in enumerate(zip_longest(_happenings(messages), done, fillvalue="nothing")):
        if said != step:
            yield f"step {at}: the conversation has {said[:_SHOWN]}, the execution {step[:_SHOWN]}"
            return


def _happenings(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        if message.role == "user":
            yield _TURN
        yield from map(_told, message.tool_calls)


def _told(step: ToolCall | Call | Turn) -> str:
    return _TURN if isinstance(step, Turn) else f"{step.name} {canonical(step.arguments)}"


def _other_results(messages: Sequence[Message], steps: Sequence[Step], answers: Sequence[Answer]) -> Iterator[str]:
    told = {message.tool_call_id: message.content for message in messages if message.role == "tool"}
    calls = [call for message in messages for call in message.tool_calls]
    results = [answer.result for step, answer in zip(steps, answers, strict=True) if isinstance(step, Call)]
    for number, (call, result) in enumerate(zip(calls, results, strict=True), 1):
        content = told.get(call.id)
        if read_result(content) != canonical(result):
            told_result, replayed = (content or "nothing")[:_SHOWN], json.dumps(result, ensure_ascii=False)[:_SHOWN]
            yield f"call {number}, {call.name}: the conversation has {told_result}, the replay {replayed}"


def read_result(content: str | None) -> str | None:
    """A result in a conversation, as `canonical`; None if it is no JSON."""
    try:
        return canonical(json.loads(content or ""))
    except (ValueError, RecursionError):
        return None


def canonical(value: Any) -> str:
    """JSON with sorted keys, so that 1 and true differ."""
    return json.dumps(value, sort_keys=True)
