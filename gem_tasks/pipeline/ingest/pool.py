"""Prepares documents in several processes, because Python uses one core per process.

It starts its own processes instead of using `multiprocessing`: an Airflow task is a fork of a process with threads, and
Celery forbids it such children. They are plain programs that read pickled work from a pipe and answer on another.
Results keep the order of the input, and the number of batches in flight is bounded, so memory stays flat.

Each document has limits of CPU time and memory there (`limits`), and gets the reason `too_expensive` when it exceeds
them. If a document kills its process, its batch is retried one document at a time to find it; the others continue.
"""

import logging
import os
import pickle  # between our own processes only
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import IO, TypeVar, cast

from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.pipeline.ingest.limits import CPU_S, ENVIRONMENT, limit_memory, limited_cpu
from gem_tasks.pipeline.ingest.prepare import Prepared, Rules, prepare, without_text

logger = logging.getLogger(__name__)

_ALONE = 4_000_000
"""Cost of what is prepared in this process before others are started: that of starting one, a second of CPU time."""
_EACH = 5_000
"""Cost of a document in addition to its characters."""
_CHEAP, _CHEAP_HTML = 500_000, 5_000
"""Characters. The beginning of a bomb of `tests/bombs` up to this length takes at most 0.6 s and 35 MB (of HTML, three
were tried); longer documents are always prepared in another process. HTML of 50,000 characters can take 29 s."""
_AHEAD = 3
"""Batches in flight per process."""
_DYING_S = 0.5
_WARM = RawDocument(uri="warm", etag="", text="<p>Ein kurzer Text.</p>" * 20, media_type="text/html")
_WARM_RULES = Rules(license=None, target_tokens=100, max_tokens=200, min_chars=1, signed=True)
_COMMAND = (sys.executable, "-m", "gem_tasks.pipeline.ingest.pool")
T = TypeVar("T")


def prepared(
    batches: Iterable[tuple[T, list[RawDocument]]], rules: Rules, processes: int, command: Sequence[str] = _COMMAND
) -> Iterator[tuple[T, list[Prepared]]]:
    """Yields each batch's companion with its prepared documents, in order.

    Args:
        batches: read lazily, as capacity frees up.
        rules: rules of the source.
        processes: number of processes besides this one; 1 starts one, for long documents.
        command: command line of each process.
    """
    done = 0
    with _pool(processes, command) as submit:
        under_way: deque[tuple[T, Future[list[Prepared]]]] = deque()
        for label, raws in batches:
            alone = done < _ALONE or processes == 1
            here = not raws or (alone and all(map(_cheap, raws)))
            future = _finished(prepare(raws, rules)) if here else submit(raws, rules)
            if alone:  # one process is enough for the long documents among a few
                wait([future])
            done += sum(len(raw.text) + _EACH for raw in raws)
            under_way.append((label, future))
            while under_way and (len(under_way) > _AHEAD * processes or under_way[0][1].done()):
                first, earliest = under_way.popleft()
                yield first, earliest.result()
        while under_way:
            first, earliest = under_way.popleft()
            yield first, earliest.result()


def _cheap(raw: RawDocument) -> bool:
    return len(raw.text) <= (_CHEAP_HTML if raw.media_type in ("text/html", "text/x-rst") else _CHEAP)


def _finished(result: list[Prepared]) -> Future[list[Prepared]]:
    future: Future[list[Prepared]] = Future()
    future.set_result(result)
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
    """Gives work to an idle process, or starts one; one thread waits for each process."""

    def __init__(self, pool: ThreadPoolExecutor, command: Sequence[str]) -> None:
        self._pool, self._command = pool, command
        self._idle: SimpleQueue[_Process] = SimpleQueue()

    def __call__(self, raws: list[RawDocument], rules: Rules) -> Future[list[Prepared]]:
        return self._pool.submit(self._prepare, raws, rules)

    def close(self) -> None:
        """Stops all processes."""
        while process := self._waiting():
            process.close()

    def _waiting(self) -> "_Process | None":
        """An idle process, or None. Checking for one first would race with other threads."""
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _prepare(self, raws: list[RawDocument], rules: Rules) -> list[Prepared]:
        process = self._waiting() or _Process(self._command)
        try:
            answer = process.ask(raws, rules)
        except (EOFError, OSError, pickle.UnpicklingError):  # the child died, perhaps in the middle of its answer
            killed = process.close()
            if len(raws) > 1:
                return [each for raw in raws for each in self._prepare([raw], rules)]
            logger.warning("the process that prepared %s was killed", raws[0].uri)
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
    detail = "the process that prepared it was killed: out of memory, or a parser crashed"
    return without_text(raw, rules, IngestReason.UNREADABLE, detail)


class _Process:
    """One child process and its two pipes."""

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
        """Stops the child; returns the exit status if it had already ended."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_DYING_S)
        self._child.kill()
        self._child.communicate()
        return self._child.returncode


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Main loop of a child; ends when the parent closes the pipe or dies."""
    prepare([_WARM], _WARM_RULES)  # loads modules that are otherwise loaded at first use
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
    os.dup2(2, 1)  # output that a library prints must not mix with the answers
    serve(sys.stdin.buffer, out)
