"""Plays conversations in worlds: gives the requests of both players to their endpoints, everything else to a thread.

The only I/O of the conversation itself is the world, whose code runs in a process beside this one. That takes
milliseconds to a second, in which other conversations continue to ask.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import ExitStack

from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.domain.record import Record
from gem_tasks.errors import EndpointError, GemError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.pipeline.worlds.scenes import beginning
from gem_tasks.ports import ChatClient
from gem_tasks.simulate.scene import Role
from gem_tasks.simulate.simulation import Simulation

logger = logging.getLogger(__name__)

MOST = 32
"""Conversations at once: each keeps a process with a world."""


class Playing:
    """Plays while both endpoints are open.

    Args:
        work: the workspace, of the take.
        clients: of the models, by player.
    """

    def __init__(self, work: Workspace, clients: Mapping[Role, ChatClient]) -> None:
        self._work, self._clients = work, clients

    async def play(self, record: Record) -> Outcome:
        """One conversation from its first request to its outcome. A world that breaks ends it, and is the reason.

        Raises:
            EndpointError: wrong key or unknown model.
        """
        stack = ExitStack()
        play: Simulation | None = None
        try:
            play = await asyncio.to_thread(stack.enter_context, beginning(self._work, record))
            while play.request:
                await self._turn(play)
            if play.outcome:
                return play.outcome
            raise AssertionError("neither a request nor an outcome")
        except GemError:
            raise
        except Exception as error:  # a model's code may do anything to ours: the run continues
            logger.exception("simulate: segment %s", record.segment.segment_id)
            return Outcome(
                segment_id=record.segment.segment_id,
                kind="rejected",
                reason="world_fault",
                detail=f"{type(error).__name__}: {error}"[:500],
                cost=play.cost if play else Cost(),
            )
        finally:
            await asyncio.to_thread(stack.close)

    async def _turn(self, play: Simulation) -> None:
        assert play.request  # noqa: S101 - the caller has looked
        try:
            completion = await self._clients[play.role].complete(play.request)
        except EndpointError as error:
            play.failed(error)
        else:
            await asyncio.to_thread(play.answered, completion)
