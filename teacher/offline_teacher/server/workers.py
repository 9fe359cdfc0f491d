"""Makes answers in worker processes, so that a burst of long ones does not keep the server from anything else."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

from aiohttp import web

from offline_teacher.server.protocol import Messages, Refused

Answer = Callable[[Messages], str]


class UnknownTask(ValueError):
    """The instructions ask for nothing that can be answered."""


def end_with_parent() -> None:
    """Ends this process when the server ends, even killed: a worker waits for work on a pipe that it holds open itself.

    For `ProcessPoolExecutor(initializer=...)`.
    """
    if parent := parent_process():
        Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


class Workers:
    """Runs answers elsewhere; when a worker dies (killed for memory), the next call starts new ones.

    Args:
        start: the executor.
        answer: the completion for messages, of a module that a worker process can import; raises `UnknownTask`.
    """

    def __init__(self, start: Callable[[], Executor], answer: Answer) -> None:
        self._start, self._answer = start, answer
        self._pool: Executor | None = None
        # CPython ends a broken pool in a thread that waits for itself for ever if it holds the last reference.
        self._broken: list[Executor] = []

    async def answer(self, messages: Messages) -> str:
        """The completion.

        Raises:
            Refused: there is no answer to this, or a worker died of it.
        """
        pool = self._pool = self._pool or self._start()
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, self._answer, messages)
        except UnknownTask as error:
            raise Refused(400, str(error), "invalid_request") from error
        except BrokenExecutor as error:
            if self._pool is pool:
                self._pool = None
                self._broken.append(pool)
            raise Refused(503, "A worker died while answering", "server_error") from error

    async def close(self, app: web.Application) -> None:
        """Waits for nothing."""
        del app
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
