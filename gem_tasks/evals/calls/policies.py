"""Models that need no endpoint, which test the benchmark: an oracle (100 %), and two constant answers (nearly 0 %)."""

import json
from collections import Counter
from collections.abc import Callable, Sequence

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import Completion, FunctionCall
from gem_tasks.evals.calls.turns import Turn

Policy = Callable[[Turn], Completion]
"""Answers a turn."""


def oracle(turn: Turn) -> Completion:
    """Does what the reference does."""
    calls = tuple(_call(call.id, call.name, call.arguments) for call in turn.reference.tool_calls)
    return Completion(text=turn.reference.content or "", finish_reason="stop", tool_calls=calls)


def apology(turn: Turn) -> Completion:
    """Apologises at every turn."""
    del turn
    return Completion(text="I am sorry, but I cannot help you with this.", finish_reason="stop")


def constant(turns: Sequence[Turn]) -> Policy:
    """Always makes the call that these turns have most often."""
    calls = Counter(
        (call.name, json.dumps(call.arguments, sort_keys=True)) for turn in turns for call in turn.reference.tool_calls
    )
    names = Counter(name for name, _ in calls.elements())
    name = max(names, key=lambda each: names[each], default="nothing")
    written = max((key for key in calls if key[0] == name), key=lambda each: calls[each], default=(name, "{}"))[1]
    answer = Completion(text="", finish_reason="stop", tool_calls=(_call("call_1", name, json.loads(written)),))
    return lambda _: answer


def policies(turns: Sequence[Turn]) -> dict[str, Policy]:
    """By the names that `--model` takes without an endpoint."""
    return {"oracle": oracle, "apology": apology, "constant": constant(turns)}


POLICIES = ("oracle", "apology", "constant")


def _call(ident: str, name: str, arguments: Json) -> FunctionCall:
    return FunctionCall(id=ident, name=name, arguments=json.dumps(arguments, ensure_ascii=False))
