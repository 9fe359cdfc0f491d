"""Rows in the forms that training frameworks read. A row is `messages` and `tools` of the Chat Completions API. Pure.

| format | file | what is particular |
|---|---|---|
| trl | JSONL | `messages` with arguments as objects, `tools` as a JSON string |
| sharegpt | JSONL, `dataset_info.json` | LLaMA-Factory: turns alternate; no text beside a call; results merged |
| axolotl | JSONL, `axolotl.yaml` | `chat_template` with `field_tools`; which roles are trained |
| ms-swift | JSONL | roles `tool_call` and `tool_response`, a call a message |
| verl | Parquet | everything rendered into role and content, since it tokenizes turn by turn |

Rows that a framework would silently skip or cut are changed here without losing text, or left out and counted.
"""

import json
from collections.abc import Callable, Iterator
from itertools import groupby

from gem_tasks.domain.base import Json

Convert = Callable[[list[Json], list[Json]], Json | None]
"""Converts messages and tools to a row; None if the framework cannot express them."""

_QWEN_TOOLS = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>{tools}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""

DATASET_INFO = {
    "gem": {
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
}

AXOLOTL = """# The part of an axolotl configuration that reads these files.
datasets:
  - path: train.jsonl
    ds_type: json
    type: chat_template
    field_messages: messages
    field_tools: tools
    roles_to_train: [assistant]
    train_on_eos: turn
"""


def trl(messages: list[Json], tools: list[Json]) -> Json | None:
    """TRL, conversational. Arguments are objects: most chat templates write a string as a string within JSON, or stop.

    `datasets` from 5 on keeps them as they are; older ones fill in the keys of other rows' arguments as nulls.
    """
    return {"messages": [_decoded(_whole(message)) for message in messages], "tools": _dump(tools)}


def axolotl(messages: list[Json], tools: list[Json]) -> Json | None:
    """Axolotl decodes JSON strings of tools and arguments before it renders, which avoids Arrow's nulls."""
    return {"messages": [_whole(message) for message in messages], "tools": _dump(tools)}


def sharegpt(messages: list[Json], tools: list[Json]) -> Json | None:
    """LLaMA-Factory: human and observation on even places, gpt and function_call on odd ones.

    Text beside a call has no place in that form: it goes into the next answer of the assistant, if there is one.
    """
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    turns: list[Json] = []
    waiting: list[str] = []
    for role, group in groupby(messages, key=lambda message: message["role"]):
        found = list(group)
        if role == "system":
            continue
        if role == "tool":
            turns.append({"from": "observation", "value": _results(found)})
        elif role == "user":
            turns.append({"from": "human", "value": "\n\n".join(message["content"] for message in found)})
        else:
            turns += _spoken(found, waiting)
    alternating = all((turn["from"] in ("human", "observation")) == (at % 2 == 0) for at, turn in enumerate(turns))
    if waiting or len(turns) % 2 or not alternating:
        return None
    return {"conversations": turns, "system": system, "tools": _dump(tools) if tools else ""}


def ms_swift(messages: list[Json], tools: list[Json]) -> Json | None:
    """One call per message, results as `tool_response`; a message with text and calls becomes several."""
    turns: list[Json] = []
    for message in messages:
        calls = _calls(message)
        if message["role"] == "tool":
            turns.append({"role": "tool_response", "content": message["content"]})
        elif message.get("content") or not calls:
            turns.append({"role": message["role"], "content": message.get("content") or ""})
        turns += [{"role": "tool_call", "content": _dump(_called(call))} for call in calls]
    return {"messages": turns, **({"tools": _dump(tools)} if tools else {})}


def verl(messages: list[Json], tools: list[Json]) -> Json | None:
    """Only role and content, as Qwen's template would render them."""
    turns: list[Json] = []
    if tools:
        shown = _QWEN_TOOLS.format(tools="".join("\n" + json.dumps(tool, ensure_ascii=False) for tool in tools))
        own = messages[0]["content"] + "\n\n" if messages[0]["role"] == "system" else ""
        turns.append({"role": "system", "content": own + shown})
        messages = messages[1:] if own else messages
    for role, group in groupby(messages, key=lambda message: message["role"]):
        found = list(group)
        if role == "tool":
            results = "\n".join(f"<tool_response>\n{message['content']}\n</tool_response>" for message in found)
            turns.append({"role": "user", "content": results})
        else:
            turns += [{"role": role, "content": _rendered(message)} for message in found]
    return {"messages": turns}


FORMATS: dict[str, Convert] = {
    "trl": trl,
    "sharegpt": sharegpt,
    "axolotl": axolotl,
    "ms-swift": ms_swift,
    "verl": verl,
}


def side_files(name: str) -> dict[str, str]:
    """Additional files that the framework needs, by file name."""
    found = {
        "sharegpt": {"dataset_info.json": json.dumps(DATASET_INFO, indent=1)},
        "axolotl": {"axolotl.yaml": AXOLOTL},
    }
    return found.get(name, {})


def _spoken(found: list[Json], waiting: list[str]) -> Iterator[Json]:
    """Answers of the assistant; text beside a call moves to the next answer without a call."""
    for message in found:
        calls = [_called(call) for call in _calls(message)]
        text = message.get("content") or ""
        if calls:
            if text:
                waiting.append(text)
            yield {"from": "function_call", "value": _dump(calls if len(calls) > 1 else calls[0])}
        else:
            yield {"from": "gpt", "value": "\n\n".join([*waiting, text])}
            waiting.clear()


def _results(found: list[Json]) -> str:
    """Parallel results in the format of LLaMA-Factory's Qwen template."""
    return "\n</tool_response>\n<tool_response>\n".join(message["content"] for message in found)


def _calls(message: Json) -> list[Json]:
    return message.get("tool_calls") or []


def _called(call: Json) -> Json:
    return {"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])}


def _rendered(message: Json) -> str:
    parts = [message["content"]] if message.get("content") else []
    for call in _calls(message):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        parts.append(f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>')
    return "\n".join(parts)


def _decoded(message: Json) -> Json:
    calls = [{**call, "function": _called(call)} for call in _calls(message)]
    return {**message, "tool_calls": calls} if calls else message


def _whole(message: Json) -> Json:
    """Content is never null: half of the templates in use print None."""
    return {**message, "content": message.get("content") or ""}


def _dump(data: object) -> str:
    return json.dumps(data, ensure_ascii=False)
