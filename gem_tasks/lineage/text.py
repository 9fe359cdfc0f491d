r"""Replaces what Postgres cannot store in text and JSON.

| found                              | why it cannot be stored            | becomes  |
|------------------------------------|------------------------------------|----------|
| NUL                                | ends a string inside Postgres      | U+FFFD   |
| a lone surrogate                   | half a character, not in UTF-8     | U+FFFD   |
| NaN, Infinity (JSON only)          | Python writes them, JSON has none  | null     |

File names, titles and metadata of ordinary documents contain them; one of them must not stop a whole ingestion.
"""

import json
import re
from typing import Any

from psycopg.types.json import Jsonb

_REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# `\u0000` that is an escape: an even number of backslashes before it, for `\\u0000` is a backslash and five characters.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def storable(value: Any) -> Any:
    """A string, or a list of strings, in a form that Postgres can store; other values unchanged."""
    if isinstance(value, str):
        return _UNSTORABLE.sub(_REPLACEMENT, value)
    if isinstance(value, list):
        return [_UNSTORABLE.sub(_REPLACEMENT, item) if isinstance(item, str) else item for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def json_text(data: Any) -> str:
    """JSON that `jsonb` accepts, for any strings and floats in `data`."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    except ValueError:  # a NaN somewhere
        finite = json.loads(json.dumps(data, ensure_ascii=False), parse_constant=lambda _: None)
        text = json.dumps(finite, ensure_ascii=False)
    return storable(_ESCAPED_NUL.sub(rf"\1{_REPLACEMENT}", text))


def jsonb(data: Any) -> Jsonb:
    """A parameter for a `jsonb` column."""
    return Jsonb(data, dumps=json_text)
