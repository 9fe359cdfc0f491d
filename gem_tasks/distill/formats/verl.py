"""verl: everything rendered into role and content, since it tokenizes turn by turn."""

import json
from itertools import groupby

import pyarrow as pa

from gem_tasks.distill.formats.conversation import Conversation, calls, dump, reports_error, thinking
from gem_tasks.domain.base import Json

SCHEMA = pa.schema(
    [
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("tool_errors", pa.string()),
    ]
)
"""Schema of the Parquet file."""
_QWEN_TOOLS = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>{tools}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""


def verl(found: Conversation) -> Json:
    """Role and content only, as Qwen's template would render it."""
    turns: list[Json] = []
    errors: list[int] = []
    messages = found.messages
    if found.tools:
        shown = _QWEN_TOOLS.format(tools="".join("\n" + json.dumps(tool, ensure_ascii=False) for tool in found.tools))
        own = messages[0]["content"] + "\n\n" if messages[0]["role"] == "system" else ""
        turns.append({"role": "system", "content": own + shown})
        messages = messages[1:] if own else messages
    for role, group in groupby(messages, key=lambda message: message["role"]):
        said = list(group)
        if role == "tool":
            errors += [len(turns)] if any(map(reports_error, said)) else []
            results = "\n".join(f"<tool_response>\n{message['content']}\n</tool_response>" for message in said)
            turns.append({"role": "user", "content": results})
        else:
            turns += [{"role": role, "content": _rendered(message)} for message in said]
    return {"messages": turns, "tool_errors": dump(errors)}


def _rendered(message: Json) -> str:
    parts = [message["content"]] if message.get("content") else []
    for call in calls(message):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        parts.append(f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>')
    return thinking(message) + "\n".join(parts)
