"""Separates a model's thoughts from its answer, if an endpoint leaves both in one text.

| form                            | who sends it                                                     |
|---------------------------------|------------------------------------------------------------------|
| `<think>…</think>answer`        | servers without a reasoning parser                               |
| `…</think>answer`               | the same, where the template puts the opening tag in the prompt  |
| several blocks before the answer| models that begin to think again                                 |
| `<think>…` to the end           | the model reached the token limit while thinking                 |

Conversations may have thoughts of their assistant (`GEM_REASONING`): these are a part of the answer.
"""

import re

_NAMES = "think|thinking|thought|reasoning"
_OPEN = re.compile(rf"\s*<(?:{_NAMES})>")
_ANY = re.compile(rf"<(/?)({_NAMES})>")
_TURN = re.compile(r"<assistant(?: number=\"\d+\")?>")


def split_thoughts(text: str) -> tuple[str, str]:
    """`(thoughts, answer)`. A block within an answer that did not begin with thoughts is left for the parser."""
    if not (_OPEN.match(text) or _closes(text)):  # the common case, on the hot path
        return "", text
    tags = _own(list(_ANY.finditer(text)), text)
    if not tags:
        return "", text
    end = max((tag.end() for tag in tags if tag[1]), default=0)
    unclosed = not tags[-1][1] and not text[end : tags[-1].start()].strip()
    if unclosed:  # cut off while the model was thinking
        end = len(text)
    return _ANY.sub("", text[:end]).strip(), text[end:].lstrip()


def _own(tags: list[re.Match[str]], text: str) -> list[re.Match[str]]:
    """The tags of the model's own thoughts: of one name, up to the first turn of a conversation that has thoughts."""
    opened: set[str] = set()
    name = tags[0][2] if tags and _OPEN.match(text) else None
    for tag in tags:
        if name is None and tag[1] and tag[2] not in opened:
            name = tag[2]  # the template has opened it
        opened.add(tag[2])
    own = [tag for tag in tags if tag[2] == name]
    for place, tag in enumerate(own[:-1]):
        if tag[1] and _TURN.search(text, tag.end(), own[place + 1].start()):
            return own[: place + 1]
    return own


def _closes(text: str) -> bool:
    """Whether there may be a closing tag. Searching from the end skips most characters; a pattern reads each."""
    return text.rfind("</th") >= 0 or text.rfind("</reasoning>") >= 0
