"""Keeps the garbage collector out of the way of an event loop with hundreds of requests under way."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

_THRESHOLDS = (20_000, 50, 100)
"""Python's own start a collection every 700 new objects, which is a handful of requests."""


@contextmanager
def rare_collections() -> Generator[None]:
    """What is alive now, which in an Airflow task is a million objects, is not gone through again until the end.

    The end collects what came since: the next call would freeze its cycles for good, and a process that works through
    many shards would grow by all their answers.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.collect()
        gc.unfreeze()
