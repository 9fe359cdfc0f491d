"""Several processes that prepare documents, because Python uses one core a process.

Own processes rather than `multiprocessing`: a task of Airflow is a fork of a process with threads, and under Celery it
may have no children of that kind. They are plain programs that read pickled work from a pipe and answer on another.
What comes back keeps the order of what went in, and only so much is on the way, so memory stays flat.

A document that kills its process (as one that needs more memory than there is) is found by trying its batch one by
one, and gets the reason `unreadable`; the others go on.
"""

import logging
import os
import pickle  # between our own processes only
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import IO, TypeVar, cast

from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.pipeline.ingest_prepare import Prepared, Rules, prepare

logger = logging.getLogger(__name__)

_ALONE = 256
"""So many documents are prepared here before other processes are started, which takes a second."""
_AHEAD = 3
"""Batches on the way per process."""
_COMMAND = (sys.executable, "-m", "gem_tasks.pipeline.ingest_pool")
T = TypeVar("T")


def prepared(
    batches: Iterable[tuple[T, list[RawDocument]]], rules: Rules, processes: int, command: Sequence[str] = _COMMAND
) -> Iterator[tuple[T, list[Prepared]]]:
    """Each batch's companion with its documents prepared, in order.

    Args:
        batches: read as there is room for them.
        rules: of the source.
        processes: how many to use besides this one; with 1 there are no others.
        command: what each of them runs.
    """
    waiting = iter(batches)
    done = 0
    for label, raws in waiting:
        yield label, prepare(raws, rules)
        done += len(raws)
        if done >= _ALONE and processes > 1:
            break
    with _pool(processes, command) as submit:
        under_way: deque[tuple[T, Future[list[Prepared]]]] = deque()
        for label, raws in waiting:
            under_way.append((label, submit(raws, rules) if raws else _nothing()))
            while under_way and (len(under_way) > _AHEAD * processes or under_way[0][1].done()):
                first, future = under_way.popleft()
                yield first, future.result()
        while under_way:
            first, future = under_way.popleft()
            yield first, future.result()


def _nothing() -> Future[list[Prepared]]:
    future: Future[list[Prepared]] = Future()
    future.set_result([])
    return future


@contextmanager
def _pool(processes: int, command: Sequence[str]) -> Generator["_Submit"]:
    pool = ThreadPoolExecutor(processes)
    submit = _Submit(pool, command)
    try:
        yield submit
    finally:
        pool.shutdown(cancel_futures=True)
        submit.close()


class _Submit:
    """Hands work to an idle process, starting one if there is none; a thread waits for each."""

    def __init__(self, pool: ThreadPoolExecutor, command: Sequence[str]) -> None:
        self._pool, self._command = pool, command
        self._idle: SimpleQueue[_Process] = SimpleQueue()

    def __call__(self, raws: list[RawDocument], rules: Rules) -> Future[list[Prepared]]:
        return self._pool.submit(self._prepare, raws, rules)

    def close(self) -> None:
        """Ends the processes."""
        while process := self._waiting():
            process.close()

    def _waiting(self) -> "_Process | None":
        """An idle process, if there is one; asking first whether there is one would leave time for another thread."""
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _prepare(self, raws: list[RawDocument], rules: Rules) -> list[Prepared]:
        process = self._waiting() or _Process(self._command)
        try:
            answer = process.ask(raws, rules)
        except (EOFError, OSError, pickle.UnpicklingError):  # it died, perhaps in the middle of its answer
            process.close()
            if len(raws) > 1:
                return [each for raw in raws for each in self._prepare([raw], rules)]
            logger.warning("%s killed the process that prepared it", raws[0].uri)
            return prepare([_deadly(raws[0])], rules)
        except BaseException:
            process.close()
            raise
        self._idle.put(process)
        return answer


def _deadly(raw: RawDocument) -> RawDocument:
    detail = "preparing it killed the process: too little memory, or a fault in a parser"
    return raw.model_copy(update={"text": "", "reason": IngestReason.UNREADABLE, "detail": detail})


class _Process:
    """One child, and the two pipes."""

    def __init__(self, command: Sequence[str]) -> None:
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603

    def ask(self, raws: list[RawDocument], rules: Rules) -> list[Prepared]:
        """Raises EOFError, OSError or UnpicklingError when the child died."""
        requests, answers = cast("IO[bytes]", self._child.stdin), cast("IO[bytes]", self._child.stdout)
        pickle.dump((raws, rules), requests, pickle.HIGHEST_PROTOCOL)
        requests.flush()
        answer = pickle.load(answers)  # noqa: S301
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        """Ends the child."""
        self._child.kill()
        self._child.communicate()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """A child's life: until the parent closes the pipe, or dies."""
    while True:
        try:
            raws, rules = pickle.load(requests)  # noqa: S301
        except EOFError:
            return
        try:
            answer: object = prepare(raws, rules)
        except Exception as error:  # noqa: BLE001  the parent raises it
            answer = error
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    serve(sys.stdin.buffer, out)
