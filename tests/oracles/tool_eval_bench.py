"""Reference conversations of tool-eval-bench, which has none: written by hand against its graders.

So they prove that requests, tools and grades arrive, and that full points can be had; not that the grades are right.
`tool_eval_bench.json` has for every scenario the user's first words and the assistant's turns: calls, or words.
"""

import json
from pathlib import Path

from tests.oracles.server import calls, words

_MANY_TOOLS = 20
"""Three questions are asked twice, the second time with 52 tools on offer."""
EARNED_BY_AN_APOLOGY = frozenset(f"TC-{number}" for number in (23, 32, 33, 36, 41, 42, 43, 44, 49, 57, 59))
"""Scenarios in which doing nothing is a part of what is right: 15 of all 138 points."""


def oracle(body, headers):
    """Plays its part, turn by turn."""
    messages = body["messages"]
    asked = next(each["content"] for each in messages if each["role"] == "user")
    many = len(body.get("tools") or ()) > _MANY_TOOLS
    found = [each for each in _CONVERSATIONS if asked.startswith(each["asked"]) and each["many_tools"] == many]
    if not found:
        return _unscripted(body)
    (conversation,) = found
    turn = conversation["turns"][sum(each["role"] == "assistant" for each in messages)]
    return words(turn) if isinstance(turn, str) else calls(*turn)


def _unscripted(body):
    """The questions whether the endpoint answers, and whether it enforces calls."""
    if body.get("tool_choice") == "required":
        return calls((body["tools"][0]["function"]["name"], {"value": "1"}))
    return words("Yes.")


_CONVERSATIONS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
