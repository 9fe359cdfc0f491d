"""Task logs hold no secret: not in what is logged, nor in what was raised, however deep its cause is."""

import base64
import io
import json
import logging

import pytest

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
