"""Text of others as people get to see it: what would act, or cannot be seen, is shown as an escape instead.

A control character moves a terminal's cursor, sets its title or its clipboard; a bidirectional one turns the order of
letters around; tags and runs of variation selectors hide text. Joiners stay, which Persian, Hindi and emoji need.
"""

import re

_ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e00ff]"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
)
"""But for tab and line feed."""


def visible(text: str) -> str:
    """On one line, as a name: with escapes for line feeds and tabs, too."""
    return visible_lines(text).replace("\n", "\\n").replace("\t", "\\t")


def visible_lines(text: str) -> str:
    """The same with its lines."""
    return _ACTS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def visible_json(text: str) -> str:
    r"""The same of JSON, which stays the same JSON: `\uXXXX` in place of what acts."""
    return _ACTS.sub(lambda match: "".join(map(_escape, match[0])), text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
