"""Checks how many shards a run maps over: Airflow fails if they exceed `[core] max_map_length`."""

from collections.abc import Sequence
from typing import TypeVar

from airflow.sdk.configuration import conf

from gem_tasks.errors import UserError

T = TypeVar("T")


def mappable(shards: Sequence[T]) -> Sequence[T]:
    """Returns the shards unchanged if Airflow can map a task over all of them.

    Raises:
        UserError: there are more than `[core] max_map_length`.
    """
    most = conf.getint("core", "max_map_length")
    if len(shards) > most:
        raise UserError(
            f"{len(shards)} shards exceed the number that Airflow maps a task over ({most})",
            "Raise AIRFLOW__CORE__MAX_MAP_LENGTH, for the scheduler too. For later large partitions, also raise"
            " GEM_SHARD_SEGMENTS.",
        )
    return shards
