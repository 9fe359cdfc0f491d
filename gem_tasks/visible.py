"""Makes untrusted text safe to show: replaces characters that act or are invisible by escapes.

A control character can move a terminal's cursor or set its title or clipboard; a bidirectional one reorders letters;
tags and runs of variation selectors hide text. Joiners stay, because Persian, Hindi and emoji need them.
"""

import re

_ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff]"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
)
"""Every acting or invisible character except tab and line feed."""


def visible(text: str) -> str:
    """Escapes a name for one line, including line feeds and tabs."""
    return visible_lines(text).replace("\n", "\\n").replace("\t", "\\t")


def visible_lines(text: str) -> str:
    """Like `visible`, but keeps line breaks and tabs."""
    return _ACTS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def visible_json(text: str) -> str:
    r"""JSON with `\uXXXX` instead of such characters; its value stays the same."""
    return _ACTS.sub(lambda match: "".join(map(_escape, match[0])), text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
