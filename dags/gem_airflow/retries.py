"""Decides which task failures Airflow retries."""

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from gem_tasks.errors import UserError

# A wrong path, key or model name stays wrong: fail at once instead of after three tries.
_POLICY = ExceptionRetryPolicy(
    rules=[RetryRule(exception=UserError, action=RetryAction.FAIL, reason="needs a configuration fix")]
)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "gem",
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_policy": _POLICY,
}
