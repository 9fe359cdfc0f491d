"""Cleans text: one spelling of each character, plain line breaks, nothing invisible."""

import re
import unicodedata
from io import StringIO

from gem_tasks.corpus.text.invisible import INVISIBLE, without_invisible

_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BREAKING = "\r\x0b\x0c\x85\u2028\u2029"
_BLANK = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_SPACES = re.compile(f"[{_BLANK}]")
_REPLACED = re.compile(f"[{_BREAKING}{_BLANK}{INVISIBLE}]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
"""The invisible characters of plain ASCII."""
_OVERSTRUCK = re.compile("_\x08(?=\\S)|(\\S)\x08(?=\\1)")
"""Bold and underlined letters as manual pages print them: one on top of the other."""
_TERMINAL = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
"""Terminal colours and similar sequences."""
_HYPHENATED = re.compile("(?<=\\w)\u00ad[ \t]*+\n[ \t]*+(?=[^\\W\\d_])")
"""A word split over two lines by a soft hyphen."""
_AFTER_BLANK = re.compile(r"\n(?<=[ \t]\n)")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Normalises to Unicode NFC; removes meaningless invisible characters, trailing blanks and repeated empty lines."""
    # Most texts contain no match of a pattern; a plain search beforehand is many times cheaper.
    if "\x08" in text or "\x1b" in text:
        text = _TERMINAL.sub("", _OVERSTRUCK.sub("", text))
    if text.isascii():
        if any(mark in text for mark in "\r\x0b\x0c"):
            text = _LINE_BREAKS.sub("\n", text)
        text = _CONTROL.sub("", text)
    else:
        text = unicodedata.normalize("NFC", text)
        if _REPLACED.search(text):
            text = _replaced(text)
    if " \n" in text or "\t\n" in text:
        text = _without_trailing(text)
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip()


def _replaced(text: str) -> str:
    if any(mark in text for mark in _BREAKING):
        text = _LINE_BREAKS.sub("\n", text)
    text = _SPACES.sub(" ", text)
    if "\u00ad" in text:
        text = _HYPHENATED.sub("", text)
    # Normalised again, because a removed character may have separated a letter and its accent.
    return unicodedata.normalize("NFC", without_invisible(text))


def _without_trailing(text: str) -> str:
    """Without blanks at the ends of lines. Looks for the ends, as a pattern that begins with blanks takes longer."""
    found, end = StringIO(), 0
    for match in _AFTER_BLANK.finditer(text):
        found.write(text[end : match.start()].rstrip(" \t"))
        end = match.start()
    return found.getvalue() + text[end:]


def one_line(text: str, limit: int) -> str | None:
    """Like `clean`, for titles: a single line of up to `limit` characters; None if nothing is left."""
    return " ".join(clean(text[: limit * 4]).split())[:limit].strip() or None
