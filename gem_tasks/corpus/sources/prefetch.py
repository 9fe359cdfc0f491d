"""Fetches small remote objects ahead, many at a time, so that reading does not wait for round trips."""

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import IO

from gem_tasks.corpus.sources.objects import SourceObject

_AT_ONCE = 16
_SMALL = 1 << 20
"""Larger objects are streamed in their turn."""


def prefetched(objects: Iterable[SourceObject]) -> Iterator[SourceObject]:
    """The same objects in the same order, with up to 32 MiB of them in memory."""
    ahead: deque[SourceObject] = deque()
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="prefetch")
    try:
        for found in objects:
            if found.remote and found.size <= _SMALL:
                found = replace(found, open=_opener(pool.submit(_whole, found)))
            ahead.append(found)
            if len(ahead) > 2 * _AT_ONCE or not found.remote:
                yield ahead.popleft()
        yield from ahead
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _whole(found: SourceObject) -> bytes:
    with found.open() as stored:
        return stored.read()


def _opener(fetched: Future[bytes]) -> Callable[[], IO[bytes]]:
    return lambda: io.BytesIO(fetched.result())
