"""The confined child process that runs a world's code."""

import json
import queue
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from gem_tasks.confine.job import Job, Limits, SandboxMode
from gem_tasks.confine.launch import started
from gem_tasks.domain.base import Json
from gem_tasks.worlds.course import Operation
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.steps import Snapshot
from gem_tasks.worlds.world import World

_WORKER = Path(__file__).parent / "engine" / "worker.py"
_WAIT_S = 60.0
"""Patience with a silent child: its CPU time is limited far below, so this passes only if the machine stands still."""
_LONGEST = 64 << 20
"""Bytes of an answer: a child that escaped could write without end."""
_LIMITS = Limits(memory_gb=1, processes=64, open_files=64, file_gb=0.001, scratch_gb=0.001)


class RefusedWorldError(Exception):
    """A world's code does not load: reason and detail."""


class Done(NamedTuple):
    """What an operation led to."""

    result: str | None
    """JSON; None: the world is at fault."""
    changed: dict[str, str | None]
    """Texts of changed tables; None: removed."""
    ids: dict[str, Json] | None
    """All counters, if one changed."""
    reason: str = ""
    detail: str = ""


class Process:
    """A world, loaded in a child that is started again after a crash.

    Args:
        world: the world.
        mode: strictness of the sandbox.
    """

    def __init__(self, world: World, mode: SandboxMode) -> None:
        self._world = world
        self._mode: SandboxMode = mode
        self._stack, self._child = ExitStack(), None
        self._load = ""
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def load(self, scenario: Scenario, seed: int) -> None:
        """Loads the world's code with the events of a scenario, in a new engine of the same child.

        Args:
            scenario: the scenario.
            seed: decides where numbers of new records begin.

        Raises:
            RefusedWorldError: the code does not load.
        """
        self._load = json.dumps({"world": _given(self._world, scenario, seed)})
        if self._child is None or not self._loaded():
            self._ensure()

    def close(self) -> None:
        """Ends the child."""
        self._stack.close()
        self._child = None

    def run(self, start: Snapshot, operations: Sequence[Operation]) -> list[Done]:
        """Runs operations in order from a state.

        A crash does not lose the others: the operations then run one by one, and the one that crashes has the reason.
        """
        answers = self._asked(start, operations)
        if answers is not None:
            return answers
        done: list[Done] = []
        for operation in operations:
            alone = self._asked(start, [operation])
            done += alone or [Done(None, {}, None, "crashed", "the engine's process ended")]
            start = following(start, done[-1])
        return done

    def _asked(self, start: Snapshot, operations: Sequence[Operation]) -> list[Done] | None:
        """None: the child crashed."""
        self._ensure()
        reply = self._exchange(json.dumps({"tables": start.tables, "ids": start.ids, "operations": operations}))
        if reply is None or "answers" not in reply:
            return self._lost()  # it ended, or could not load the code a second time
        return [_done(each) for each in reply["answers"]]

    def _ensure(self) -> None:
        if self._child is not None:
            return
        self._child = self._stack.enter_context(_child(self._mode))
        self._answers = _lines(cast("IO[bytes]", self._child.stdout))
        if not self._loaded():
            raise RefusedWorldError("crashed", "the engine's process ended while it loaded the code")

    def _loaded(self) -> bool:
        """False: the child ended, which one that waited may do: the kernel ends it with the thread that started it."""
        reply = self._exchange(self._load)
        if reply and "refused" in reply:
            self._lost()
            raise RefusedWorldError(*reply["refused"])
        return reply is not None

    def _exchange(self, request: str) -> Json | None:
        child = cast("subprocess.Popen[bytes]", self._child)
        pipe = cast("IO[bytes]", child.stdin)
        try:
            pipe.write(request.encode() + b"\n")
            pipe.flush()
            line = self._answers.get(timeout=_WAIT_S)
            return json.loads(line) if line else self._lost()
        except (OSError, queue.Empty, ValueError, RecursionError):
            return self._lost()

    def _lost(self) -> None:
        self.close()
        self._stack = ExitStack()


def following(start: Snapshot, done: Done) -> Snapshot:
    """The state after an operation."""
    if not done.changed and done.ids is None:
        return start
    tables = {name: text for name, text in (start.tables | done.changed).items() if text is not None}
    return Snapshot(tables=tables, ids=start.ids if done.ids is None else done.ids)


def _done(answer: list[Any]) -> Done:
    kind, *rest = answer
    if kind == "f":
        return Done(None, {}, None, *rest)
    return Done(rest[0], rest[1], rest[2]) if kind == "w" else Done(rest[0], {}, None)


def _given(world: World, scenario: Scenario, seed: int) -> Json:
    return {
        "code": world.code,
        "tools": [tool.name for tool in world.tools],
        "events": {name: event.code for name, event in scenario.events.items()},
        "base": zlib.crc32(f"{seed}".encode()),
        "limits": world.limits.model_dump(),
    }


@contextmanager
def _child(mode: SandboxMode) -> Generator["subprocess.Popen[bytes]"]:
    spec = find_spec("_quickjs")
    library = str(spec.origin) if spec else ""
    with tempfile.TemporaryDirectory(prefix="gem-world-") as folder:
        Path(folder).chmod(0o711)
        job = Job(
            command=(sys.executable, "-I", "-S", str(_WORKER), library),
            folder=Path(folder) / "own",
            reads=(_WORKER.parent, Path(library)),
            limits=_LIMITS,
        )
        with started(job, mode, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            yield child
            with suppress(OSError):  # what a dead child did not read
                cast("IO[bytes]", child.stdin).close()


def _lines(pipe: IO[bytes]) -> "queue.SimpleQueue[str]":
    """Answers of the child as they come; the last is empty."""
    found: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        while line := pipe.readline(_LONGEST):
            found.put(line.decode(errors="replace"))
        found.put("")

    threading.Thread(target=read, daemon=True).start()
    return found
