"""Running children of worlds, kept between sessions: a start takes 0.25 s, another scenario or seed milliseconds."""

import threading
from collections import deque
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from gem_tasks.confine.job import SandboxMode
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import Session, opened
from gem_tasks.worlds.world import World


class _Kept(NamedTuple):
    world: str
    session: Session
    stack: ExitStack


class Pool:
    """Lends sessions, also to several threads at once.

    Args:
        most: idle children that stay; the longest unused ends first.
        mode: strictness of the sandbox.
    """

    def __init__(self, most: int = 4, mode: SandboxMode = "auto") -> None:
        self._most: int = most
        self._mode: SandboxMode = mode
        self._idle: deque[_Kept] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def opened(self, world: World, scenario: Scenario | None = None, *, seed: int = 0) -> Generator[Session]:
        """A session of a world, in an idle child of that world if there is one.

        Raises:
            RefusedWorldError: the code does not load.
            ValueError: a tool's schema is invalid.
        """
        key = world.model_dump_json()
        kept, new = self._taken(key), ExitStack()
        if kept is None:
            kept = _Kept(key, new.enter_context(opened(world, scenario, seed=seed, mode=self._mode)), new)
        try:
            if kept.stack is not new:
                kept.session.begin(scenario, seed=seed)
            yield kept.session
        finally:
            self._give(kept)

    def close(self) -> None:
        """Ends the idle children."""
        with self._lock:
            idle, self._idle = self._idle, deque()
        for each in idle:
            each.stack.close()

    def _taken(self, world: str) -> _Kept | None:
        with self._lock:
            found = next((each for each in self._idle if each.world == world), None)
            if found:
                self._idle.remove(found)
            return found

    def _give(self, kept: _Kept) -> None:
        with self._lock:
            self._idle.append(kept)
            oldest = self._idle.popleft() if len(self._idle) > self._most else None
        if oldest:
            oldest.stack.close()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
