"""JSON as the engine writes it, as far as Python can: without blanks, and nothing escaped that may stay."""

import json
from typing import Any

from pydantic_core import to_json

_slow = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def encoded(value: Any) -> str:
    """A JSON value's text. Equal texts are equal values, but not the other way round: the engine writes `1` for `1.0`.

    Raises:
        ValueError: NaN or infinity.
        RecursionError: it is nested too deeply.
    """
    try:
        text = to_json(value).decode()
    except ValueError:  # more than 255 levels, or half of a character
        return _slow(value)
    return _slow(value) if "NaN" in text or "Infinity" in text else text
