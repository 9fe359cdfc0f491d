"""Partitions: hours of ingestion, named by their start in UTC, which has neither gaps nor repeated hours.

| run                                  | partition                                                       |
|--------------------------------------|-----------------------------------------------------------------|
| scheduled                            | the tick it stands for, however late it starts                  |
| by hand, without a key               | the hour in which it was asked for, however long it takes       |
| by hand, `gem run`, with a key       | that one                                                        |
| a retry or a cleared task            | that of its run                                                 |

A document belongs to the partition of the run that first read it, however old the document is: whatever arrives late,
or while nothing ran, lands in the next run's partition. It never moves.
"""

from datetime import UTC, datetime

FORMAT = "%Y-%m-%dT%H:%M"


def partition_of(moment: datetime) -> str:
    """The partition of a moment.

    Raises:
        ValueError: the moment has no time zone, so nobody knows which it is.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).replace(minute=0).strftime(FORMAT)
