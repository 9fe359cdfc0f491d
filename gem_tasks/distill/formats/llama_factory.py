"""LLaMA-Factory's two formats. Both require alternating turns, and have no place for text beside a call.

It silently skips a row whose turns do not alternate, so such rows are left out and counted here. With its own
`tool_calls` under `formatting: openai` it writes arguments as strings within JSON, or, as objects, with the keys of
other rows: both formats have calls as a JSON text instead, which it reads under either formatting. A thought stands
before words or calls in `<think>`, which its templates of reasoning models take out, also of a call.
"""

import json
from collections.abc import Iterator
from itertools import groupby

from gem_tasks.distill.formats.conversation import Conversation, called, calls, dump, reports_error, thinking
from gem_tasks.domain.base import Json

_SHAREGPT = {
    "file_name": "train.jsonl",
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
    "tags": {
        "role_tag": "from",
        "content_tag": "value",
        "user_tag": "human",
        "assistant_tag": "gpt",
        "observation_tag": "observation",
        "function_tag": "function_call",
    },
}
_OPENAI = {
    "file_name": "train.jsonl",
    "formatting": "openai",
    "columns": {"messages": "messages", "tools": "tools"},
    "tags": {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "observation_tag": "tool",
        "function_tag": "function_call",
        "system_tag": "system",
    },
}


def dataset_info(formatting: str) -> str:
    """`dataset_info.json` for a formatting."""
    return json.dumps({"gem": {"sharegpt": _SHAREGPT, "openai": _OPENAI}[formatting]}, indent=1)


def sharegpt(found: Conversation) -> Json | None:
    """`formatting: sharegpt`: human and observation at even positions, gpt and function_call at odd ones."""
    turns = _turns(found.messages)
    if turns is None:
        return None
    said = [{"from": turn["role"], "value": turn["content"]} for turn in turns]
    return {
        "conversations": said,
        "system": _system(found.messages),
        "tools": dump(found.tools) if found.tools else "",
        "tool_errors": _errors(turns),
    }


def openai(found: Conversation) -> Json | None:
    """`formatting: openai`: its loader merges the results of parallel calls itself."""
    turns = _turns(found.messages)
    if turns is None:
        return None
    names = {"human": "user", "gpt": "assistant", "observation": "tool"}
    said = [{"role": names.get(turn["role"], turn["role"]), "content": turn["content"]} for turn in turns]
    system = _system(found.messages)
    first = [{"role": "system", "content": system}] if system else []
    return {
        "messages": [*first, *said],
        "tools": dump(found.tools) if found.tools else "",
        "tool_errors": _errors([*first, *turns]),
    }


def _turns(messages: list[Json]) -> list[Json] | None:
    """Alternating turns with the names of `sharegpt`, or None.

    Text beside a call goes into the next answer of the assistant; without one, the row cannot be represented.
    """
    turns: list[Json] = []
    waiting: list[str] = []
    for role, group in groupby(messages, key=lambda message: message["role"]):
        found = list(group)
        if role == "tool":
            turns.append({"role": "observation", "content": _results(found), "error": any(map(reports_error, found))})
        elif role == "user":
            turns.append({"role": "human", "content": "\n\n".join(message["content"] for message in found)})
        elif role == "assistant":
            turns += _spoken(found, waiting)
    alternating = all((turn["role"] in ("human", "observation")) == (at % 2 == 0) for at, turn in enumerate(turns))
    return None if waiting or len(turns) % 2 or not alternating else turns


def _spoken(found: list[Json], waiting: list[str]) -> Iterator[Json]:
    """Answers of the assistant; text beside a call waits for the next one without."""
    for message in found:
        made = [called(call) for call in calls(message)]
        text = message.get("content") or ""
        if made:
            if text:
                waiting.append(text)
            yield {"role": "function_call", "content": thinking(message) + dump(made if len(made) > 1 else made[0])}
        else:
            yield {"role": "gpt", "content": thinking(message) + "\n\n".join([*waiting, text])}
            waiting.clear()


def _results(found: list[Json]) -> str:
    """Parallel results in the form in which LLaMA-Factory's Qwen template wraps one."""
    return "\n</tool_response>\n<tool_response>\n".join(message["content"] for message in found)


def _system(messages: list[Json]) -> str:
    return messages[0]["content"] if messages and messages[0]["role"] == "system" else ""


def _errors(turns: list[Json]) -> str:
    return dump([place for place, turn in enumerate(turns) if turn.get("error")])
