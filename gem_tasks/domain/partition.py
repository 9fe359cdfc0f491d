"""Partitions: hours of ingestion, named by their start in UTC, which has neither gaps nor repeated hours.

| run                                  | partition                                                       |
|--------------------------------------|-----------------------------------------------------------------|
| scheduled                            | its tick, even if it starts late                                |
| manual, without a key                | the hour of the request, regardless of its duration             |
| manual, `gem run`, with a key        | that key                                                        |
| a retry or a cleared task            | that of its run                                                 |

A document belongs to the partition of the run that first read it, regardless of its age: late documents, and those
that arrived while nothing ran, get the next run's partition. A document never moves.
"""

from datetime import UTC, datetime

FORMAT = "%Y-%m-%dT%H:%M"


def partition_of(moment: datetime) -> str:
    """The partition of a point in time.

    Raises:
        ValueError: the moment has no time zone, so it is ambiguous.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).replace(minute=0).strftime(FORMAT)
