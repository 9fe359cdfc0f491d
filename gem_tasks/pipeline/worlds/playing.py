"""Plays conversations in worlds: gives the requests of both players to their endpoints, everything else to a thread.

The conversation itself has no I/O of its own but the world, whose code runs in a process beside this one. That takes
milliseconds to a second, in which other conversations go on asking.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Record
from gem_tasks.errors import EndpointError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.ports import ChatClient

_MOST = 32
"""Conversations at once: each keeps a process with a world."""


class Play(Protocol):
    """A conversation: either `request` or `outcome` is set."""

    @property
    def role(self) -> Literal["assistant", "user"]:
        """Whose client gets `request`."""
        ...

    @property
    def request(self) -> ChatRequest | None:
        """The next request."""
        ...

    @property
    def outcome(self) -> Outcome | None:
        """The final outcome."""
        ...

    def answered(self, completion: Completion) -> None:
        """Reads the answer, and takes its steps in the world."""
        ...

    def failed(self, error: EndpointError) -> None:
        """Notes that there is none; raises the error again if the configuration is at fault."""
        ...


Begin = Callable[[Workspace, Record], AbstractContextManager[Play]]
"""Opens the world of a record, and begins a conversation in it."""


def _nobody(work: Workspace, record: Record) -> AbstractContextManager[Play]:
    raise NotImplementedError


BEGIN: Begin = _nobody


class Playing:
    """Plays while both endpoints are open.

    Args:
        work: the workspace, of the take.
        assistant: client of the assistant's model.
        user: client of the user's model.
    """

    most = _MOST
    """Conversations at once."""

    def __init__(self, work: Workspace, assistant: ChatClient, user: ChatClient) -> None:
        self._work, self._clients = work, {"assistant": assistant, "user": user}

    async def play(self, record: Record) -> Outcome:
        """One conversation from its first request to its outcome.

        Raises:
            EndpointError: wrong key or unknown model.
        """
        opened = BEGIN(self._work, record)
        play = await asyncio.to_thread(opened.__enter__)
        try:
            while play.request:
                try:
                    completion = await self._clients[play.role].complete(play.request)
                except EndpointError as error:
                    play.failed(error)
                else:
                    await asyncio.to_thread(play.answered, completion)
        finally:
            await asyncio.to_thread(opened.__exit__, None, None, None)
        assert play.outcome, "neither a request nor an outcome"  # noqa: S101 - an invariant of Play
        return play.outcome
