"""Text without what nobody sees: one way to write each character, plain line breaks, nothing invisible."""

import re
import unicodedata

from gem_tasks.corpus.invisible import without_invisible

_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
"""Of the invisible ones those that plain ASCII has."""
_OVERSTRUCK = re.compile("_\x08(?=\\S)|(\\S)\x08(?=\\1)")
"""Bold and underlined letters as manual pages print them: one over the other."""
_TERMINAL = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
"""Colours and the like."""
_HYPHENATED = re.compile("(?<=\\w)\u00ad[ \t]*+\n[ \t]*+(?=[^\\W\\d_])")
"""A word that a soft hyphen breaks over two lines."""
_TRAILING = re.compile(r"(?<![ \t])[ \t]++(?=\n)")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Unicode NFC, plain line breaks, nothing invisible that means nothing, no trailing blanks, single empty lines."""
    # Most texts have none of what a pattern is for; to look for it first is many times cheaper.
    if "\x08" in text or "\x1b" in text:
        text = _TERMINAL.sub("", _OVERSTRUCK.sub("", text))
    if text.isascii():
        if any(mark in text for mark in "\r\x0b\x0c"):
            text = _LINE_BREAKS.sub("\n", text)
        text = _CONTROL.sub("", text)
    else:
        text = _SPACES.sub(" ", _LINE_BREAKS.sub("\n", unicodedata.normalize("NFC", text)))
        # Again, because a removed character may have kept a letter and its accent apart.
        text = unicodedata.normalize("NFC", without_invisible(_HYPHENATED.sub("", text)))
    if " \n" in text or "\t\n" in text:
        text = _TRAILING.sub("", text)
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip()


def one_line(text: str, limit: int) -> str | None:
    """The same for titles and the like: a single line of at most `limit` characters, None if nothing is left."""
    return " ".join(clean(text[: limit * 4]).split())[:limit].strip() or None
