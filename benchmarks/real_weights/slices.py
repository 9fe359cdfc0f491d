"""Pieces of conversations that fit a small context and a slow machine, in the form that `gem distill import` reads.

    ENV/bin/python slices.py BASE_FOLDER LONGEST EACH < conversations.jsonl > slices.jsonl

ENV is GEM_HOME/envs/train. A piece begins with a message of the user and ends with one of the assistant. It has the
beginning of the rules, five tools (those that it calls, and others of the conversation) with names of parameters only,
and long results cut. Of each conversation the EACH pieces with most calls are kept, none over LONGEST tokens.
"""

import importlib.resources
import json
import sys
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from transformers import AutoTokenizer

TOOLS, RULES, RESULT, DESCRIPTION = 5, 200, 160, 60
"""Tools of a piece; characters of rules, of a result, and of a tool's description."""
TEMPLATE = "qwen3_instruct_2507"
Row = dict[str, Any]


def main(base: str, longest: int, each: int) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base)
    folder = importlib.resources.files("trl") / "chat_templates"
    tokenizer.chat_template = (folder / f"{TEMPLATE}.jinja").read_text(encoding="utf-8")

    def fits(piece: Row) -> bool:
        made = tokenizer.apply_chat_template(piece["messages"], tools=piece["tools"], tokenize=True, return_dict=True)
        return len(made["input_ids"]) <= longest

    for line in sys.stdin:
        row = json.loads(line)
        found = sorted(pieces(row, fits), key=lambda piece: -calls(piece))[:each]
        for number, piece in enumerate(found):
            if calls(piece):
                print(json.dumps({"id": f"{row['id']}-{number}", "document": row["id"], **piece}, ensure_ascii=False))


def pieces(row: Row, fits: Callable[[Row], bool]) -> list[Row]:
    """The longest pieces that fit, one after the other; a question whose answer does not fit is left out."""
    messages, found, at = row["messages"], [], 1
    starts = [place for place, message in enumerate(messages) if message["role"] == "user"]
    ends = [place + 1 for place, message in enumerate(messages) if message["role"] == "assistant"]
    while begin := next((place for place in starts if place >= at), None):
        best = None
        for end in (end for end in ends if end > begin):
            piece = piece_of(row, messages[begin:end])
            if not fits(piece):
                break
            best = end, piece
        found += [best[1]] if best else []
        at = best[0] if best else begin + 1
    return found


def piece_of(row: Row, messages: list[Row]) -> Row:
    used = {call["function"]["name"] for message in messages for call in message.get("tool_calls") or []}

    def rank(tool: Row) -> tuple[bool, bytes]:
        name = tool["function"]["name"]
        return name not in used, sha256((row["id"] + name).encode()).digest()

    chosen = [tool["function"]["name"] for tool in sorted(row["tools"], key=rank)[: max(TOOLS, len(used))]]
    tools = [short_tool(tool["function"]) for tool in row["tools"] if tool["function"]["name"] in chosen]
    rules = row["messages"][0]["content"] if row["messages"][0]["role"] == "system" else ""
    system = {"role": "system", "content": " ".join(rules[:RULES].split())}
    return {"messages": [system, *map(short, messages)], "tools": tools}


def short_tool(tool: Row) -> Row:
    parameters = {"type": "object", "properties": {name: {} for name in tool["parameters"].get("properties", {})}}
    description = tool["description"].split(". ")[0][:DESCRIPTION]
    function = {"name": tool["name"], "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def short(message: Row) -> Row:
    content = message.get("content") or ""
    if message["role"] == "tool" and len(content) > RESULT:
        content = content[:RESULT] + "…"
    made = {**message, "content": content}
    if made.get("tool_calls"):
        made["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": loaded(call["function"]["arguments"])}}
            for call in made["tool_calls"]
        ]
    return made


def loaded(arguments: Any) -> Any:
    return json.loads(arguments) if isinstance(arguments, str) else arguments


def calls(piece: Row) -> int:
    return sum(len(message.get("tool_calls") or []) for message in piece["messages"])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
