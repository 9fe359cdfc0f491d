"""Windows of conversations that fit a small context, in the form that `gem distill import` reads.

    ENV/bin/python windows.py BASE_FOLDER LONGEST < conversations.jsonl > windows.jsonl

ENV is GEM_HOME/envs/train. A window has the rules and all tools unchanged, begins with a message of the user and ends
with one of the assistant. A conversation's windows follow each other; none is over LONGEST tokens. A turn that does not
fit beside rules and tools is left out, and counted on standard error.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from transformers import AutoTokenizer

Row = dict[str, Any]


def main(base: str, longest: int) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base)

    def fits(window: Row) -> bool:
        made = tokenizer.apply_chat_template(window["messages"], tools=window["tools"], tokenize=True, return_dict=True)
        return len(made["input_ids"]) <= longest

    kept = left_out = 0
    for line in sys.stdin:
        row = json.loads(line)
        for number, window in enumerate(windows(row, fits)):
            if window is None:
                left_out += 1
                continue
            kept += 1
            print(json.dumps({"id": f"{row['id']}-{number}", "document": row["id"], **window}, ensure_ascii=False))
    print(f"{kept} windows; {left_out} turns of the user that do not fit", file=sys.stderr)


def windows(row: Row, fits: Callable[[Row], bool]) -> Iterator[Row | None]:
    """The longest windows that fit, one after the other; `None` for a message of the user whose answer does not fit."""
    system, *messages = map(plain, row["messages"])
    starts = [place for place, message in enumerate(messages) if message["role"] == "user"]
    ends = [place + 1 for place, message in enumerate(messages) if message["role"] == "assistant"]
    at = 0
    for begin in starts:
        if begin < at:
            continue
        best = None
        for end in (end for end in ends if end > begin):
            window = {"messages": [system, *messages[begin:end]], "tools": row["tools"]}
            if not fits(window):
                break
            best, at = window, end
        yield best


def plain(message: Row) -> Row:
    """Content is text, and arguments are objects, as chat templates want them."""
    made = {**message, "content": message.get("content") or ""}
    if made.get("tool_calls"):
        made["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": loaded(call["function"]["arguments"])}}
            for call in made["tool_calls"]
        ]
    return made


def loaded(arguments: Any) -> Any:
    return json.loads(arguments) if isinstance(arguments, str) else arguments


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
