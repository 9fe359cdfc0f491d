"""Cleans model output like documents: removes what acts on a terminal, reverses letters or hides text.

Stages accept this form, so that the checks see exactly what is published. It keeps joiners of Persian and Hindi and of
emoji, and direction marks in right-to-left text, as `invisible` does.
"""

import json
import re
from typing import Any, cast

from gem_tasks.corpus.text.invisible import without_invisible

_TERMINAL = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b\][^\x07\x1b\n]{0,400}(?:\x07|\x1b\\)")
"""Terminal sequences: colours, titles, links, clipboards."""
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
                      "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
                      "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")  # fmt: skip
_ESCAPED = re.compile(r"\\(?:[bfr]|u00[01789]|u(?:061|1|2|[dD][89a-fA-F]|[fF])|u00[aA][dD]|u034)")
"""JSON that may contain such a character as an escape; parsing decides."""


def harmless(text: str) -> str:
    """The text without harmful characters."""
    if not _HARMFUL.search(text):
        return text
    return without_invisible(_BREAKS.sub("\n", _TERMINAL.sub("", text)))


def harmless_json(text: str) -> str:
    """JSON whose texts and names are all harmless; the same string if they already were."""
    plain = text.isascii() and text.isprintable()  # far faster than the expression
    if (plain or not _HARMFUL.search(text)) and not _ESCAPED.search(text):
        return text
    data = json.loads(text)
    plain = _plain(data)
    return text if plain == data else json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _plain(data: Any) -> Any:
    if isinstance(data, str):
        return harmless(data)
    if isinstance(data, list):
        return [_plain(each) for each in cast("list[Any]", data)]
    if isinstance(data, dict):
        return {harmless(str(name)): _plain(each) for name, each in cast("dict[Any, Any]", data).items()}
    return data
