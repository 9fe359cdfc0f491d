"""The world of one client: its calls happen in a separate session, in a separate confined process."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

from gem_tasks.confine.job import SandboxMode
from gem_tasks.worlds.reading import Shelved
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import Session, opened
from gem_tasks.worlds.steps import Answer, Step, Turn


class Setting(NamedTuple):
    """What every client gets."""

    world: Shelved
    scenario: Scenario | None = None
    """Events and faults that happen; None: nothing but the calls."""
    seed: int = 0
    mode: SandboxMode = "auto"
    instructions: str = ""
    """The system message of the task, if there is one."""


class Room:
    """One session. The confined process starts with the first step, and ends with `close`.

    Steps run in one thread that lives as long as the room: the kernel ends a confined process with its parent's thread.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="world")
        self._stack, self._session = ExitStack(), None
        self.used = time.monotonic()
        """When it was last used."""

    async def take(self, steps: Sequence[Step]) -> list[Answer]:
        """Takes steps in order.

        Raises:
            RefusedWorldError: the code does not load.
            ValueError: a deed that the scenario does not have.
        """
        return await asyncio.wrap_future(self._thread.submit(self._take, steps))

    async def reset(self) -> None:
        """Begins again with the world's first state."""
        await asyncio.wrap_future(self._thread.submit(self._restart))

    def close(self) -> None:
        """Ends the process."""
        self._thread.submit(self._stack.close)
        self._thread.shutdown()

    def _take(self, steps: Sequence[Step]) -> list[Answer]:
        self.used = time.monotonic()
        return self._open().take(steps)

    def _restart(self) -> None:
        if self._session is not None:
            self._begin(self._session)

    def _open(self) -> Session:
        if self._session is None:
            world, scenario, seed, mode, _ = self._setting
            self._session = self._stack.enter_context(opened(world.world, scenario, seed=seed, mode=mode))
            self._begin(self._session)
        return self._session

    def _begin(self, session: Session) -> None:
        session.restart()
        if self._setting.scenario is not None:
            session.take([Turn()])


class FullError(Exception):
    """Too many clients."""


class Rooms:
    """Rooms by client. Those that no client used for a while make room for others.

    Args:
        setting: what every client gets.
        most: clients at the same time.
        idle_s: seconds after which a room may be given away.
    """

    def __init__(self, setting: Setting, most: int, idle_s: float) -> None:
        self._setting, self._most, self._idle_s = setting, most, idle_s
        self._rooms: dict[str, Room] = {}

    def of(self, client: str) -> Room:
        """The client's room.

        Raises:
            FullError: all rooms are in use.
        """
        if client not in self._rooms:
            for idle in [name for name, room in self._rooms.items() if time.monotonic() - room.used > self._idle_s]:
                self.leave(idle)
            if len(self._rooms) >= self._most:
                raise FullError
            self._rooms[client] = Room(self._setting)
        return self._rooms[client]

    def leave(self, client: str) -> None:
        """Ends the client's room, if there is one."""
        if room := self._rooms.pop(client, None):
            room.close()

    def close(self) -> None:
        """Ends all rooms."""
        for client in list(self._rooms):
            self.leave(client)
