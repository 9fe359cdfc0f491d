"""Decides which task failures Airflow retries, and how often."""

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.definitions.retry_policy import RetryDecision

from gem_tasks.errors import StoreError, UnavailableError, UserError

RETRIES = 3
"""Retries of a task that raises."""
SPARE = 6
"""Further retries of a partition's tasks, for lost workers and outages: the journal has what the task did, so another
try costs little, while a failed run costs a person's attention."""

# A wrong path, key or model name stays wrong: fail at once.
_RULES = [RetryRule(exception=UserError, action=RetryAction.FAIL, reason="needs a configuration fix")]


class Patience(ExceptionRetryPolicy):
    """Fails a task at once after a wrong setting, and keeps some of its retries for outages.

    A lost worker raises nothing, so Airflow asks no policy about it.
    """

    def __init__(self, spare: int) -> None:
        super().__init__(_RULES)
        self.spare = spare

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """What no outage explains follows the rules, and fails once only the spare retries are left."""
        if _is_outage(exception):
            return RetryDecision.default()
        if is_last(try_number, max_tries, self.spare):
            return RetryDecision.fail("no retries left but those for outages")
        return super().evaluate(exception, try_number, max_tries, context)


def is_last(try_number: int, max_tries: int, spare: int) -> bool:
    """Whether an ordinary failure of this try fails the task.

    Args:
        try_number: 1 is the first one.
        max_tries: number of the last retry; more for a task that was cleared.
        spare: how many of the retries are for outages.
    """
    return try_number > max_tries - spare


def _is_outage(error: BaseException) -> bool:
    """Whether store, database or network were unavailable; by name, since parsing a DAG is not to import a driver."""
    names = {f"{each.__module__}.{each.__name__}" for each in type(error).__mro__}
    return isinstance(error, StoreError | UnavailableError | OSError) or "psycopg.OperationalError" in names


DEFAULT_ARGS: dict[str, Any] = {
    "owner": "gem",
    "retries": RETRIES,
    "retry_delay": timedelta(seconds=20),
    "retry_policy": Patience(spare=0),
}
PARTITION_ARGS: dict[str, Any] = {**DEFAULT_ARGS, "retries": RETRIES + SPARE, "retry_policy": Patience(spare=SPARE)}
