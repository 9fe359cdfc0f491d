"""How many shards one run can take: Airflow refuses to map a task over more than its configuration says."""

from collections.abc import Sequence
from typing import TypeVar

from airflow.sdk.configuration import conf

from gem_tasks.errors import UserError

T = TypeVar("T")


def mappable(shards: Sequence[T]) -> Sequence[T]:
    """The shards themselves, if Airflow can map a task over so many.

    Raises:
        UserError: it cannot.
    """
    most = conf.getint("core", "max_map_length")
    if len(shards) > most:
        raise UserError(
            f"{len(shards)} shards are more than Airflow maps a task over ({most})",
            "Raise AIRFLOW__CORE__MAX_MAP_LENGTH, for the scheduler too; for large partitions to come, raise"
            " GEM_SHARD_SEGMENTS as well.",
        )
    return shards
