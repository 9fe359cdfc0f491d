"""Keeps the garbage collector from slowing an event loop with hundreds of requests in flight."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

_THRESHOLDS = (20_000, 50, 100)
"""Python's defaults start a collection every 700 new objects, which is a handful of requests."""


@contextmanager
def rare_collections() -> Generator[None]:
    """Freezes all live objects (about a million in an Airflow task), so the collector skips them until the block exits.

    The exit collects objects created since: otherwise the next call would freeze their cycles for good, and a process
    that works through many shards would grow by all their answers.
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
