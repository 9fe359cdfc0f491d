"""The confined child process that runs a world's code."""

import json
import subprocess
import sys
import tempfile
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
from gem_tasks.worlds.names import function_name
from gem_tasks.worlds.pipes import Pipes
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.steps import Snapshot
from gem_tasks.worlds.world import World

_WORKER = Path(__file__).parent / "engine" / "worker.py"
_LIMITS = Limits(memory_gb=1, processes=4096, open_files=64, file_gb=0.001, scratch_gb=0.001)
"""The kernel counts the processes of all sandboxes of the machine together; each conversation in progress has one."""


class RefusedWorldError(Exception):
    """A world's code does not load: reason and detail."""


class RefusedScenarioError(RefusedWorldError):
    """An event's code does not load: the world's does."""


class Done(NamedTuple):
    """What an operation led to."""

    result: Json | None = None
    """None also if it equals the wanted one, or if the world is at fault."""
    changed: tuple[str, ...] = ()
    """Names of changed tables."""
    reason: str = ""
    detail: str = ""


class Replay(NamedTuple):
    """One conversation of a request."""

    asked: str
    wanted: str


class Process:
    """A world, loaded in a child that is started again after a crash.

    Args:
        world: the world.
        mode: strictness of the sandbox.
    """

    def __init__(self, world: World, mode: SandboxMode) -> None:
        self.first = first(world)
        self._mode: SandboxMode = mode
        self._stack, self._child = ExitStack(), None
        self._load = "l" + json.dumps(_given(world, self.first))
        self._forget()
        self._events, self._base, self._added = "{}", 0, 0

    def close(self) -> None:
        """Ends the child."""
        self._stack.close()
        self._child = None

    def load(self, scenario: Scenario, seed: int) -> None:
        """Adds the events of a scenario, unless the child has them.

        Args:
            scenario: the scenario.
            seed: decides where numbers of new records begin.

        Raises:
            RefusedWorldError: the code does not load.
        """
        self._events = json.dumps({name: event.code for name, event in scenario.events.items()})
        self._base = zlib.crc32(f"{seed}".encode())
        self._ensure()

    def run(self, start: Snapshot, operations: Sequence[Operation]) -> tuple[list[Done], Snapshot]:
        """Runs operations in order from a state, and tells the state that they led to.

        A crash does not lose the others: the operations then run one by one, and the one that crashes has the reason.
        """
        reply = self._batch(start, operations)
        if reply and reply[0] == "o":
            return self._ended(start, json.loads(reply[1:]))
        done: list[Done] = []
        for operation in operations:
            told, start = self._alone(start, operation)
            done.append(told)
        return done, start

    def replay(self, operations: Sequence[Operation], wanted: Sequence[str], *, every: bool) -> Replay:
        """A request for `replayed`: operations from the first state, with the loaded scenario.

        Args:
            operations: the operations.
            wanted: of each, JSON of its result; empty: none.
            every: whether what they led to comes back also if all results are the wanted ones.
        """
        head = self._head(first=True, every=every)
        return Replay(f"[{head},[{_texts(operations)}]]", "".join([f"\t{each}" for each in wanted]))

    def replayed(self, replays: Sequence[Replay]) -> list[list[Done] | None] | None:
        """What the operations of each led to, None if to the wanted results; or None: the child ended, or one of them
        needs an engine for itself.
        """
        self._ensure()
        self._at = None
        asked, wanted = ",".join([each.asked for each in replays]), "".join([each.wanted for each in replays])
        reply = self._exchange(f"m[{asked}]{wanted}")
        return [_done(each) if each else None for each in json.loads(reply[1:])] if reply and reply[0] == "o" else None

    def _batch(self, start: Snapshot, operations: Sequence[Operation]) -> str | None:
        """None: the child ended."""
        if not self._begun(start):
            return None
        self._at = None
        return self._exchange(f'b{self._head(first=start is self.first)[:-1]},"operations":[{_texts(operations)}]}}')

    def _head(self, *, first: bool, every: bool = False) -> str:
        return json.dumps({"first": first, "base": self._base, "scenario": self._known[self._events], "every": every})

    def _begun(self, start: Snapshot) -> bool:
        self._ensure()
        if start is self.first or start is self._at:
            return True
        return self._exchange("t" + start.model_dump_json()) == "o"

    def _ended(self, start: Snapshot, told: Json) -> tuple[list[Done], Snapshot]:
        self._at = following(start, told["tables"], told["ids"])
        return _done(told["done"]), self._at

    def _alone(self, start: Snapshot, operation: Operation) -> tuple[Done, Snapshot]:
        """In a new engine that has the whole memory."""
        alone = start.model_copy()  # another object than those that the child may have
        reply = self._batch(alone, [operation])
        if reply and reply[0] == "o":
            (done,), state = self._ended(start, json.loads(reply[1:]))
            return done, state
        reason, detail = json.loads(reply[1:]) if reply else ("crashed", "the engine's process ended")
        return Done(reason=reason, detail=detail), start

    def _ensure(self) -> None:
        if self._child is None or self._child.poll() is not None or not self._has_events():
            self._start()
            if not self._has_events():
                raise RefusedWorldError("crashed", "the engine's process ended while it loaded an event")

    def _start(self) -> None:
        self._lost()
        self._child = self._stack.enter_context(_child(self._mode))
        self._pipes = Pipes(cast("IO[bytes]", self._child.stdin), cast("IO[bytes]", self._child.stdout))
        reply = self._exchange(self._load)
        if reply is None:
            raise RefusedWorldError("crashed", "the engine's process ended while it loaded the code")
        if reply != "o":
            self._lost()
            raise RefusedWorldError(*json.loads(reply[1:]))

    def _has_events(self) -> bool:
        """False: the child ended, which one that waited may do: the kernel ends it with the thread that started it."""
        if self._events in self._known:
            return True
        self._added += 1
        name = f"{self._added}"  # of no earlier child either, so that a request for one has no meaning in the next
        reply = self._exchange(f's{{"name":"{name}","events":{self._events},"now":true}}')
        if reply is not None and reply != "o":
            raise RefusedScenarioError(*json.loads(reply[1:]))
        if reply is not None:
            self._known[self._events] = name
        return reply is not None

    def _exchange(self, request: str) -> str | None:
        try:
            return self._pipes.exchanged(request)
        except (OSError, ValueError):
            return self._lost()

    def _lost(self) -> None:
        self.close()
        self._stack = ExitStack()
        self._forget()

    def _forget(self) -> None:
        self._known, self._at = {"{}": ""}, None


def first(world: World) -> Snapshot:
    """The state in which every session of a world begins."""
    tables = {name: json.dumps(value) for name, value in world.state.items()}
    return Snapshot(tables=tables, ids={prefix: each.model_dump() for prefix, each in world.ids.items()})


def following(start: Snapshot, changed: dict[str, str | None], ids: dict[str, Json] | None) -> Snapshot:
    """The state after operations: changed tables (None: removed), and all counters if one changed."""
    if not changed and ids is None:
        return start
    tables = {name: text for name, text in (start.tables | changed).items() if text is not None}
    return Snapshot(tables=tables, ids=start.ids if ids is None else ids)


def _texts(operations: Sequence[Operation]) -> str:
    return ",".join([each.text for each in operations])


def _done(told: list[Any]) -> list[Done]:
    return [_one(*each) for each in told]


def _one(kind: str, changed: Any, result: Any = None) -> Done:
    if kind == "f":
        return Done(reason=changed, detail=result)
    return Done(result=result, changed=tuple(changed))


def _given(world: World, start: Snapshot) -> Json:
    return {
        "code": world.code,
        "tools": {tool.name: function_name(tool.name) for tool in world.tools},
        "limits": world.limits.model_dump(),
        "start": start.model_dump(),
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
