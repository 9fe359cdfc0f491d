"""Turns a reply without an answer into one canonical `EndpointError`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from gem_tasks.errors import EndpointError, ErrorClass

_BY_STATUS = {
    401: ErrorClass.AUTH,
    402: ErrorClass.NO_CREDIT,
    403: ErrorClass.FORBIDDEN,
    404: ErrorClass.UNKNOWN_MODEL,
    408: ErrorClass.TIMEOUT,
    409: ErrorClass.SERVER_ERROR,
    429: ErrorClass.RATE_LIMITED,
}
_BY_CODE = {
    "context_length_exceeded": ErrorClass.CONTEXT_LENGTH,
    "insufficient_quota": ErrorClass.NO_CREDIT,
    "invalid_api_key": ErrorClass.AUTH,
    "model_not_found": ErrorClass.UNKNOWN_MODEL,
    "content_filter": ErrorClass.REFUSED,
}
OVERLOADED = frozenset({429, 503, 529})
"""Statuses that ask for fewer requests; 529 is Anthropic's."""


def from_status(status: int, headers: Mapping[str, str], body: bytes | str) -> EndpointError:
    """The canonical error for a reply whose status is not 200.

    Args:
        status: HTTP status.
        headers: with case-insensitive lookup.
        body: OpenAI's error object, or anything.
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    code, message = _error_object(text)
    found = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if found is None:
        found = ErrorClass.SERVER_ERROR if status >= 500 else ErrorClass.BAD_REQUEST
    error = EndpointError(found, f"HTTP {status}: {message[:300]}", retry_after_s(headers))
    error.overloaded = status in OVERLOADED and found is not ErrorClass.NO_CREDIT
    return error


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms`, or `Retry-After` in either of its forms (RFC 9110 section 10.2.3)."""
    if milliseconds := _number(headers.get("retry-after-ms", "")):
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _number(text: str) -> float | None:
    return float(text) if text.replace(".", "", 1).isdigit() and text.isascii() else None


def _error_object(text: str) -> tuple[str, str]:
    """`(code, message)` of `{"error": {"code", "message"}}`; the text itself when it is something else."""
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return "", text
    error: Any = cast("dict[str, Any]", body).get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return "", str(error)
    fields = cast("dict[str, Any]", error)
    return str(fields.get("code") or ""), str(fields.get("message") or text)
