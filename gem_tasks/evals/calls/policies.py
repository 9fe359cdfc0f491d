"""Models that need no endpoint, which test the benchmark: an oracle (100 %), and two constant answers (nearly 0 %)."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

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
    name = _most(call.name for turn in turns for call in turn.reference.tool_calls) or "nothing"
    of_it = (call for turn in turns for call in turn.reference.tool_calls if call.name == name)
    written = _most(json.dumps(call.arguments, sort_keys=True) for call in of_it) or "{}"
    answer = Completion(text="", finish_reason="stop", tool_calls=(_call("call_1", name, json.loads(written)),))
    return lambda _: answer


def policy(name: str, turns: Sequence[Turn]) -> Policy:
    """By the names that `--model` takes without an endpoint."""
    return {"oracle": oracle, "apology": apology}.get(name) or constant(turns)


POLICIES = ("oracle", "apology", "constant")


def _most(found: Iterable[str]) -> str | None:
    """The most frequent one; the first of several."""
    return next((name for name, _ in Counter(found).most_common(1)), None)


def _call(ident: str, name: str, arguments: Json) -> FunctionCall:
    return FunctionCall(id=ident, name=name, arguments=json.dumps(arguments, ensure_ascii=False))
