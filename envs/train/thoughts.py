"""Conversations with private thoughts as rows to learn: each turn after exactly the text that a server gives the model.

Templates treat thoughts in three ways: most drop those before the user's last turn, some keep all, many know none. TRL's
templates for training keep all, so a model would learn to read what no server shows it. Here the model's own template
renders each turn's prompt and answer; consecutive turns share a row as long as the template does not change what came
before. The loss covers the answers: thoughts, words and calls.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from targets import TOOLS, Messages

Render = Callable[[Messages, list[dict[str, Any]] | None, bool], str]
"""Messages, tools, and whether the assistant is to speak next, to text."""
_IGNORED = -100


class Stretch(NamedTuple):
    """A text, and the parts of it that the assistant says, as `[start, end)` in characters."""

    text: str
    learned: list[tuple[int, int]]


def stretches(messages: Messages, tools: list[dict[str, Any]] | None, render: Render) -> Iterator[Stretch]:
    """Rows of a conversation, in order.

    Raises:
        ValueError: the template begins an answer in another way than it renders it, such as with an empty thought.
    """
    text, learned = "", list[tuple[int, int]]()
    for at, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt, whole = render(messages[:at], tools, True), render(messages[: at + 1], tools, False)
        if not whole.startswith(prompt):
            raise ValueError("its prompt for an answer is not how it begins the answer")
        if text and not prompt.startswith(text):
            yield Stretch(text, learned)
            learned = []
        text, learned = whole, [*learned, (len(prompt), len(whole))]
    if learned:
        yield Stretch(text, learned)


def labelled(stretch: Stretch, tokenizer: Any) -> dict[str, list[int]]:
    """`input_ids`, and `labels` with -100 outside the answers."""
    found = tokenizer(stretch.text, add_special_tokens=False, return_offsets_mapping=True)
    answers, place, labels = stretch.learned, 0, list[int]()
    for token, (start, end) in zip(found["input_ids"], found["offset_mapping"], strict=True):
        while place < len(answers) and start >= answers[place][1]:
            place += 1
        inside = place < len(answers) and answers[place][0] <= start and end <= answers[place][1]
        labels.append(token if inside else _IGNORED)
    return {"input_ids": found["input_ids"], "labels": labels}


def _turn(number: int, text: str, *, calls: bool = False) -> Iterator[dict[str, Any]]:
    key = f"call0000{number}"
    call = {"id": key, "type": "function", "function": {"name": "find_mark1", "arguments": {"key_mark3": f"arg{number}"}}}
    yield {
        "role": "assistant", "content": text, "reasoning_content": f"thought{number}",
        **({"tool_calls": [call]} if calls else {}),
    }  # fmt: skip
    if calls:
        yield {"role": "tool", "tool_call_id": key, "name": "find_mark1", "content": "{}"}


PROBE: Messages = [
    {"role": "system", "content": "Rules."},
    {"role": "user", "content": "First."},
    *_turn(1, "", calls=True),
    *_turn(2, "said2"),
    {"role": "user", "content": "Second."},
    *_turn(3, "said3", calls=True),
    *_turn(4, "said4"),
]


def why_not(render: Render, probe: Messages = PROBE) -> str:
    """Why nothing can be learned of thoughts with a template; empty if all of them can."""
    try:
        rows = list(stretches(probe, TOOLS, render))
    except Exception as error:  # a template can raise anything
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return said[:200] if isinstance(error, ValueError) else f"it refuses them: {said[:200]}"
    answers = "".join(row.text[start:end] for row in rows for start, end in row.learned)
    lost = [number for number in range(1, 5) if f"thought{number}" not in answers]
    if len(lost) == 4:
        return "it leaves out thoughts"
    if lost:
        return "it leaves out the thoughts of some turns"
    if any(f"arg{number}" not in answers for number in (1, 3)):
        return "it leaves out calls beside thoughts"
    return ""
