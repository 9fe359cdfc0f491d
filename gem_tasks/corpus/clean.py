"""Text without what nobody sees: one way to write each character, plain line breaks, nothing invisible."""

import re
import unicodedata

_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Controls, zero-width characters, direction overrides, tags and variation selectors carry no words, but can hide some:
# the tag block spells out ASCII that models read and people do not see. Half surrogates cannot be stored.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
"""Of the invisible ones those that plain ASCII has."""
_TRAILING = re.compile(r"[ \t]++(?=\n)")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Unicode NFC, plain line breaks, no invisible characters, no trailing blanks, at most one empty line in a row."""
    # Most texts have none of what a pattern is for; to look for it first is many times cheaper.
    if text.isascii():
        if any(mark in text for mark in "\r\x0b\x0c"):
            text = _LINE_BREAKS.sub("\n", text)
        text = _CONTROL.sub("", text)
    else:
        text = _INVISIBLE.sub("", _SPACES.sub(" ", _LINE_BREAKS.sub("\n", text)))
        # Last, because a removed character may have kept a letter and its accent apart.
        text = unicodedata.normalize("NFC", text)
    if " \n" in text or "\t\n" in text:
        text = _TRAILING.sub("", text)
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip()


def one_line(text: str, limit: int) -> str | None:
    """The same for titles and the like: a single line of at most `limit` characters, None if nothing is left."""
    return " ".join(clean(text[: limit * 4]).split())[:limit].strip() or None
