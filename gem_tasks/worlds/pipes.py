"""Lines to a child and back, that no child can block."""

import os
import select
import time
from typing import IO

_WAIT_S = 60.0
"""Patience with a silent child: its CPU time is limited far below, so this passes only if the machine stands still."""
_LONGEST = 64 << 20
"""Bytes of an answer: a child that escaped could write without end."""
_CHUNK = 1 << 16


class Pipes:
    """A child's standard input and output.

    Args:
        out: to the child.
        back: from it.
    """

    def __init__(self, out: IO[bytes], back: IO[bytes]) -> None:
        self._out, self._back = out.fileno(), back.fileno()
        os.set_blocking(self._out, False)
        self._writable, self._readable = select.poll(), select.poll()
        self._writable.register(self._out, select.POLLOUT)
        self._readable.register(self._back, select.POLLIN)

    def exchanged(self, request: str) -> str:
        """The answer to a line, without its end.

        Raises:
            OSError: the child ended, is silent, or writes without end.
            ValueError: it did not write text.
        """
        until = time.monotonic() + _WAIT_S
        left = memoryview(request.encode() + b"\n")
        while left:
            _wait(self._writable, until)
            left = left[os.write(self._out, left) :]
        answer = bytearray()
        while not answer.endswith(b"\n"):
            _wait(self._readable, until)
            answer += (chunk := os.read(self._back, _CHUNK))
            if not chunk or len(answer) > _LONGEST:
                raise BrokenPipeError
        return answer[:-1].decode()


def _wait(poll: select.poll, until: float) -> None:
    if not poll.poll(max(until - time.monotonic(), 0) * 1000):
        raise TimeoutError
