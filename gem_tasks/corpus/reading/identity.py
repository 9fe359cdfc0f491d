"""The identity of a record inside its file, so that it stays the same document when others are edited or removed."""

import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from gem_tasks.corpus.text.clean import one_line

_CHARS = 200
_DIGEST_CHARS = 16
_EXACT = 2**53
"""Whole numbers up to this one are exact as floats."""


def record_name(key: Any, text: str) -> str:
    """The name of a record with this `id`, or one from its text if the id is missing or empty.

    Two ids never get the same name: a digest is appended to one that is too long or not printable.
    """
    plain = _plain(key)
    name = one_line(plain, _CHARS)
    if not name:
        return f"text-{_digest(text)}"
    return name if name == plain.strip() else f"{name[: _CHARS - _DIGEST_CHARS - 1]}~{_digest(plain)}"


def _plain(key: Any) -> str:
    """An id as text; whole numbers look alike in every type, because one missing id turns all into floats."""
    if isinstance(key, str):
        return key
    if key is None or (isinstance(key, float) and not math.isfinite(key)):
        return ""
    if isinstance(key, float | Decimal):
        return _number(key)
    if isinstance(key, bytes):
        return _of_bytes(key)
    if isinstance(key, datetime | date | time):
        return key.isoformat()
    if isinstance(key, int | UUID | timedelta):
        return str(key)
    return json.dumps(key, sort_keys=True, ensure_ascii=False, default=_plain)


def _number(key: float | Decimal) -> str:
    if not Decimal(key).is_finite():
        return ""
    if key == int(key) and (isinstance(key, Decimal) or abs(key) < _EXACT):
        return str(int(key))
    return f"{key.normalize():f}" if isinstance(key, Decimal) else repr(key)


def _of_bytes(key: bytes) -> str:
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return key.hex()
    return text if text.isprintable() else key.hex()


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
