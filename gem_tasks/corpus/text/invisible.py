"""Invisible characters: keeps the few that carry meaning in their context, removes all others.

They can hide text from people that models read (tag characters and variation selectors can spell ASCII). So each is
kept only in the context for which Unicode defines it, and once: a joiner in a script with joined letters or in an
emoji, a selector after a character with variants, a word separator in scripts without spaces.
"""

import re
import unicodedata
from io import StringIO

from gem_tasks.corpus.text.scripts import HAN, SOUTH_EAST_ASIAN

INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Controls (also of shorthand and music), zero-width characters, direction marks, tags, variation selectors, halves of
surrogate pairs."""
_ONE, _RUN = re.compile(f"[{INVISIBLE}]"), re.compile(f"[{INVISIBLE}]+")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u061b\u061d-\u08ff"  # U+061C is a mark of direction, not a letter
                            "\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")  # fmt: skip
_JOINING = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\u0900-\u0dff\u0f00-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\uabff\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00011fff\U0001e900-\U0001e95f]"
)
"""Scripts in which a joiner or non-joiner changes the spelling: Hebrew and Arabic to N'Ko, and those around India."""
_UNSPACED = re.compile(f"[{SOUTH_EAST_ASIAN}]")
"""Scripts in which only a zero-width space, if anything, separates words."""
_MONGOLIAN = re.compile("[\u1800-\u180a\u1810-\u18af]")
_HANGUL = re.compile("[\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff]")
_HAN = re.compile(f"[{HAN}]")
_FLAG = re.compile("\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|"
                   "\U000e0077\U000e006c\U000e0073)\U000e007f")  # fmt: skip
"""After a black flag: England, Scotland, Wales."""
_MARKS = ("‼", "⁉", "〰", "〽")
"""Punctuation with an emoji form."""
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
"""Without the overrides, which display letters in another order."""


def without_invisible(text: str) -> str:
    """The text without invisible characters that carry no meaning."""
    if not _ONE.search(text):  # many times cheaper than a search for runs
        return text
    right_to_left = bool(_RIGHT_TO_LEFT.search(text))
    # Not `_RUN.sub`, which makes a string of 80 bytes for each piece between two runs.
    found, end = StringIO(), 0
    for run in _RUN.finditer(text):
        if (kept := _kept(right_to_left, run)) != run[0]:
            found.write(text[end : run.start()] + kept)
            end = run.end()
    return found.getvalue() + text[end:] if end else text


def _kept(right_to_left: bool, run: re.Match[str]) -> str:
    before, after = run.string[run.start() - 1 : run.start()], run.string[run.end() : run.end() + 1]
    if before == "\U0001f3f4" and (flag := _FLAG.match(run[0])):
        return flag[0]
    kept = ""
    for mark in run[0]:
        known = right_to_left and mark in _DIRECTIONS
        if mark not in kept and (known or _means(mark, before, kept, after)):
            kept += mark
    return kept


def _means(mark: str, before: str, kept: str, after: str) -> bool:
    """Whether the mark makes a difference between these two characters, after the kept part of its run."""
    match mark:
        case "\u200c" | "\u200d" if _JOINING.match(before) or _JOINING.match(after):
            return True
        case "\u200d":
            return _symbol(before) and _symbol(after)
        case "\u200b":
            return bool(_UNSPACED.match(before) and _UNSPACED.match(after))
        case "\u034f":
            return _combining(before) and _combining(after)
        case "\u115f" | "\u1160":
            return bool(_HANGUL.match(before) or _HANGUL.match(after))
        case _ if "\u180b" <= mark <= "\u180f":
            return bool(_MONGOLIAN.match(before) or _MONGOLIAN.match(after))
        case _:
            return not kept and _selects(mark, before, after)


def _selects(mark: str, before: str, after: str) -> bool:
    """Whether a variation selector follows a character that has variants."""
    if mark in "\ufe0e\ufe0f":
        return _symbol(before) or before in _MARKS or after == "\u20e3"
    if "\ufe00" <= mark <= "\ufe0d":
        return not before.isascii() and unicodedata.category(before) in ("Lo", "Sm", "So", "Po")
    return "\U000e0100" <= mark <= "\U000e01ef" and bool(_HAN.match(before))


def _symbol(character: str) -> bool:
    return bool(character) and not character.isascii() and unicodedata.category(character)[0] == "S"


def _combining(character: str) -> bool:
    return bool(character) and unicodedata.combining(character) > 0
