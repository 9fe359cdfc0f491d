"""How often Airflow retries which failure of a task."""

import pytest

from gem_tasks.errors import EndpointError, ErrorClass, StoreError, UnavailableError, UserError

OUTAGES = [
    StoreError("S3 answers 503"), ConnectionResetError(), UnavailableError("no answer", "Start it")
]  # fmt: skip
FAULTS = [KeyError("x"), EndpointError(ErrorClass.SERVER_ERROR, "500")]


def lost():
    import psycopg

    return [*OUTAGES, psycopg.OperationalError("the database system is shutting down")]


def tries(error, first=1, cleared=0):
    """Numbers of the tries after which Airflow still retries a task of a partition."""
    from airflow.sdk import RetryAction

    from gem_airflow.retries import PARTITION_ARGS

    most = cleared + PARTITION_ARGS["retries"]
    decide = PARTITION_ARGS["retry_policy"].evaluate
    return [
        number for number in range(first, most + 2)
        if number <= most and decide(error, number, most).action is not RetryAction.FAIL
    ]  # fmt: skip


@pytest.mark.parametrize("error", FAULTS)
def test_a_fault_is_retried_three_times(error):
    assert tries(error) == [1, 2, 3]


@pytest.mark.parametrize("number", range(4))
def test_an_outage_is_retried_nine_times(number):
    assert tries(lost()[number]) == list(range(1, 10))


def test_a_wrong_setting_is_not_retried():
    assert tries(UserError("no such model", "Set GEM_LLM_MODEL")) == []


def test_a_cleared_task_has_its_retries_again():
    """Airflow counts on from the last try, and raises the most by the same number."""
    assert tries(KeyError("x"), first=5, cleared=4) == [5, 6, 7]


def test_the_fourth_try_stores_what_failed():
    from gem_airflow.retries import SPARE, is_last

    assert [number for number in range(1, 11) if not is_last(number, 9, SPARE)] == [1, 2, 3]
    assert [number for number in range(1, 5) if not is_last(number, 3, 0)] == [1, 2, 3]
