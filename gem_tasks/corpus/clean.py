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
_TRAILING = re.compile(r"[ \t]++(?=\n|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Unicode NFC, plain line breaks, no invisible characters, no trailing blanks, at most one empty line in a row."""
    text = _LINE_BREAKS.sub("\n", text)
    if not text.isascii():
        text = _SPACES.sub(" ", text)
    text = _INVISIBLE.sub("", text)
    # Last, because a removed character may have kept a letter and its accent apart.
    text = unicodedata.normalize("NFC", text)
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)).strip()


def one_line(text: str, limit: int) -> str | None:
    """The same for titles and the like: a single line of at most `limit` characters, None if nothing is left."""
    return " ".join(clean(text[: limit * 4]).split())[:limit].strip() or None
