"""Several processes that prepare documents, because Python uses one core a process.

Own processes rather than `multiprocessing`: a task of Airflow is a fork of a process with threads, and under Celery it
may have no children of that kind. They are plain programs that read pickled work from a pipe and answer on another.
What comes back keeps the order of what went in, and only so much is on the way, so memory stays flat.

Each document has limits of CPU time and memory there (`limits`), and gets the reason `too_expensive` when it
exceeds them. One that kills its process is found by trying its batch one by one; the others go on.
"""

import logging
import os
import pickle  # between our own processes only
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain
from queue import Empty, SimpleQueue
from typing import IO, TypeVar, cast

from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.pipeline.ingest.limits import CPU_S, ENVIRONMENT, limit_memory, limited_cpu
from gem_tasks.pipeline.ingest.prepare import Prepared, Rules, prepare, without_text

logger = logging.getLogger(__name__)

_ALONE = 256
"""So many documents are prepared here before other processes are started, which takes a second."""
_HARMLESS = 50_000
"""Characters. A document that is no longer costs little, whatever it holds, and is prepared here at first."""
_AHEAD = 3
"""Batches on the way per process."""
_DYING_S = 0.5
_WARM = RawDocument(uri="warm", etag="", text="<p>Ein kurzer Text.</p>" * 20, media_type="text/html")
_WARM_RULES = Rules(license=None, target_tokens=100, max_tokens=200, min_chars=1, signed=True)
_COMMAND = (sys.executable, "-m", "gem_tasks.pipeline.ingest.pool")
T = TypeVar("T")


def prepared(
    batches: Iterable[tuple[T, list[RawDocument]]], rules: Rules, processes: int, command: Sequence[str] = _COMMAND
) -> Iterator[tuple[T, list[Prepared]]]:
    """Each batch's companion with its documents prepared, in order.

    Args:
        batches: read as there is room for them.
        rules: of the source.
        processes: how many to use besides this one; with 1 there is one other, for long documents.
        command: what each of them runs.
    """
    waiting = iter(batches)
    done = 0
    for label, raws in waiting:
        if any(len(raw.text) > _HARMLESS for raw in raws):
            waiting = chain([(label, raws)], waiting)
            break
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
            killed = process.close()
            if len(raws) > 1:
                return [each for raw in raws for each in self._prepare([raw], rules)]
            logger.warning("%s killed the process that prepared it", raws[0].uri)
            return [_deadly(raws[0], rules, killed)]
        except BaseException:
            process.close()
            raise
        self._idle.put(process)
        return answer


def _deadly(raw: RawDocument, rules: Rules, killed: int) -> Prepared:
    if killed == -signal.SIGXCPU:
        detail = f"preparing it takes more than {CPU_S} s of CPU time"
        return without_text(raw, rules, IngestReason.TOO_EXPENSIVE, detail)
    detail = "preparing it killed the process: too little memory, or a fault in a parser"
    return without_text(raw, rules, IngestReason.UNREADABLE, detail)


class _Process:
    """One child, and the two pipes."""

    def __init__(self, command: Sequence[str]) -> None:
        self._child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | ENVIRONMENT
        )

    def ask(self, raws: list[RawDocument], rules: Rules) -> list[Prepared]:
        """Raises EOFError, OSError or UnpicklingError when the child died."""
        requests, answers = cast("IO[bytes]", self._child.stdin), cast("IO[bytes]", self._child.stdout)
        pickle.dump((raws, rules), requests, pickle.HIGHEST_PROTOCOL)
        requests.flush()
        answer = pickle.load(answers)  # noqa: S301
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> int:
        """Ends the child; returns the status that it had ended with by itself, if it had."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_DYING_S)
        self._child.kill()
        self._child.communicate()
        return self._child.returncode


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """A child's life: until the parent closes the pipe, or dies."""
    prepare([_WARM], _WARM_RULES)  # loads what is loaded at first use
    limit_memory()
    while True:
        try:
            raws, rules = pickle.load(requests)  # noqa: S301
        except EOFError:
            return
        try:
            answer: object = prepare(raws, rules, limited_cpu)
        except Exception as error:  # noqa: BLE001  the parent raises it
            answer = error
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    serve(sys.stdin.buffer, out)
