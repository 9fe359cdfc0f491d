"""Task logs hold no secret: not in what is logged, nor in what was raised, however deep its cause is."""

import base64
import io
import json
import logging

import pytest
from pydantic import TypeAdapter, ValidationError

from gem_tasks import redaction

KEY = "Task-key-0123456789"


@pytest.fixture
def log():
    """What a task's process sends to the one above it."""
    import structlog
    from airflow.sdk.log import configure_logging

    factory, config = logging.getLogRecordFactory(), structlog.get_config()
    written = io.BytesIO()
    configure_logging.__wrapped__(json_output=True, output=written, sending_to_supervisor=True)
    redaction.know("k", KEY)
    yield written
    redaction.IN_FORCE.forget()
    logging.setLogRecordFactory(factory)
    structlog.configure(**config)


class OddError(Exception):
    """Makes its text itself."""

    def __str__(self):
        return KEY


def _noted():
    error = RuntimeError("a")
    error.add_note(f"note {KEY}")
    return error


def _validated():
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(dict[str, int]).validate_python({"a": KEY})
    return caught.value


ODD = {
    "what Pydantic refused": _validated,
    "a note": _noted,
    "a text of its own": OddError,
    "a group": lambda: ExceptionGroup("g", [ValueError("x"), ExceptionGroup("h", [OddError()])]),
    "the name of a file": lambda: FileNotFoundError(2, "gone", f"/x/{KEY}"),
    "a dictionary": lambda: RuntimeError({"k": [KEY]}),
    "bytes": lambda: RuntimeError(KEY.encode()),
    "a text that is no UTF-8": lambda: UnicodeEncodeError("utf-8", f"\ud800{KEY}", 0, 1, "x"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("by", ["structlog", "logging", "a field", "a value in a field"])
def test_an_exception_that_no_argument_cleans_is_shown_by_another_in_its_place(log, name, by):
    import structlog

    from gem_airflow.guarded import guard

    guard()
    events, lines = structlog.get_logger("task"), logging.getLogger("x")
    try:
        raise ODD[name]()
    except Exception as error:  # noqa: BLE001
        match by:
            case "structlog":
                events.exception("failed")
            case "logging":
                lines.exception("failed")
            case "a field":
                events.error("failed", error=error)
            case _:
                events.error("failed", found={"error": str(error), "all": [error, KEY.encode(), (repr(error),)]})
    text = log.getvalue().decode()
    assert "failed" in text
    assert KEY not in text
    assert base64.b64encode(KEY.encode()).decode()[:12] not in text
    if by in ("structlog", "logging"):
        assert json.loads(text)["exception"][0]["exc_type"] == type(ODD[name]()).__name__


def test_events_exceptions_and_their_causes_are_cleaned(log):
    import structlog

    from gem_airflow.guarded import guard

    used_before = structlog.get_logger("task")
    used_before.info("begins")
    guard()
    guard()
    encoded = base64.b64encode(f"Bearer {KEY}".encode()).decode()
    try:
        try:
            raise LookupError(f"inner {encoded}")
        except LookupError as inner:
            raise RuntimeError(f"outer {KEY}") from inner
    except RuntimeError:
        used_before.exception("Task failed with exception", url=f"https://me:pw@h/?key={KEY}")
    logging.getLogger("x").warning("key %s", KEY)
    text = log.getvalue().decode()
    assert "outer [redacted]" in text
    assert KEY not in text
    assert base64.b64encode(KEY.encode()).decode()[:12] not in text
    assert encoded not in text
    assert "me:pw" not in text
    assert all(json.loads(line) for line in text.splitlines())
