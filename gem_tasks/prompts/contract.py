"""Checks what every prompt, GEM's or the user's, must contain: the format that its parser reads, and no placeholder.

A prompt may describe the work freely. It must request the tags (for `validate`: the keys) that the stage reads,
otherwise every answer would be malformed. GEM never inserts text: the data comes in the user message, so a placeholder
would reach the model unchanged. `repair` has one, `{complaint}`.
"""

import re
from collections.abc import Sequence

from gem_tasks.prompts import NAMES, Prompt

LARGEST_BYTES = 64 * 1024
"""GEM's prompts have 3 to 6 KB; a larger file is not a prompt."""

_PLACEHOLDER = re.compile(
    r"\{\{?\s*(text|title|summary|tools|workflow|trajectory|open_findings|document|complaint)\s*\}?\}"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class BrokenContractError(ValueError):
    """The bytes are not a prompt of that name; the message says why."""


def parse_prompt(name: str, data: bytes, origin: str, asked_for: Sequence[str]) -> Prompt:
    """Reads a prompt from a file of the user.

    Args:
        name: name of the prompt.
        data: content of the file.
        origin: location of the file.
        asked_for: tags or keys that it must mention: see `stages.ASKED_FOR`.

    Raises:
        BrokenContractError: it is too large, not UTF-8, or does not ask for what the parser reads.
    """
    if name not in NAMES:
        raise BrokenContractError(f"there is no prompt {name!r}; there are {', '.join(NAMES)}")
    if len(data) > LARGEST_BYTES:
        raise BrokenContractError(f"it has {len(data)} bytes; a prompt has at most {LARGEST_BYTES}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenContractError(f"it is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from None
    text = text.replace("\r\n", "\n")
    for fault in _faults(text, asked_for):
        raise BrokenContractError(fault)
    return Prompt(name=name, text=text, origin=origin)


def _faults(text: str, asked_for: Sequence[str]) -> list[str]:
    if not text.strip():
        return ["it is empty"]
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        return [f"line {line} holds the control character U+{ord(found[0]):04X}"]
    faults: list[str] = []
    if missing := [mark for mark in asked_for if mark not in text]:
        faults.append(f"it never mentions {', '.join(missing)}, which the answer must hold to be read")
    for found in _PLACEHOLDER.finditer(text):
        if found[0] not in asked_for:
            line = text.count("\n", 0, found.start()) + 1
            faults.append(
                f"line {line} has the placeholder {found[0]}, which nothing fills in: the data follows in the user"
                " message, in separate sections"
            )
    return faults
