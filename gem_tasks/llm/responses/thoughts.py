"""Separates a model's thoughts from its answer, if an endpoint leaves both in one text.

| form                            | who sends it                                                     |
|---------------------------------|------------------------------------------------------------------|
| `<think>…</think>answer`        | servers without a reasoning parser                               |
| `…</think>answer`               | the same, where the template puts the opening tag in the prompt  |
| several blocks before the answer| models that begin to think again                                 |
| `<think>…` to the end           | the model reached the token limit while thinking                 |
"""

import re

_NAMES = "think|thinking|thought|reasoning"
_OPEN = re.compile(rf"\s*<(?:{_NAMES})>")
_ANY = re.compile(rf"<(/?)(?:{_NAMES})>")


def split_thoughts(text: str) -> tuple[str, str]:
    """`(thoughts, answer)`. A block within an answer that did not begin with thoughts is left for the parser."""
    if not (_OPEN.match(text) or _closes(text)):  # the common case, on the hot path
        return "", text
    tags = list(_ANY.finditer(text))
    if not tags or not (tags[0][1] or _OPEN.match(text)):
        return "", text
    end = max((tag.end() for tag in tags if tag[1]), default=0)
    unclosed = not tags[-1][1] and not text[end : tags[-1].start()].strip()
    if unclosed:  # cut off while the model was thinking
        end = len(text)
    return _ANY.sub("", text[:end]).strip(), text[end:].lstrip()


def _closes(text: str) -> bool:
    """Whether there may be a closing tag. Searching from the end skips most characters; a pattern reads each."""
    return text.rfind("</th") >= 0 or text.rfind("</reasoning>") >= 0
