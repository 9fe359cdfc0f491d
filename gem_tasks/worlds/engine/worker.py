"""The child process of one world: JSON lines in, JSON lines out.

    python -I -S worker.py FILE_OF_QUICKJS

Standard library and the engine only: it is confined and imports no code of GEM. The engine interrupts JavaScript at its
time limit, but not the language's own functions, such as a search in a long text: then the kernel ends this process
after the CPU time of one operation, and the parent finds out which operation it was.
"""

import json
import signal
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

_REALM = Path(__file__).with_name("realm.js")
_EXHAUSTED = "object: null"
"""What an engine throws that has no memory for an error, and what `throw null` throws."""
_SPOILS = ("timeout", "memory", "stack", "crashed")
_PATIENCE = 4
"""Times the engine's limit until the kernel ends the process."""
_LEAST_S, _kill_s = 0.5, 1.0
_UNCATCHABLE = (("interrupted", "timeout"), ("stack", "stack"), ("tag", "crashed"))
_STACK = 1 << 20
"""Bytes of the engine's stack: an eighth of what the process has."""


class Engine:
    """A world's code and one session of it.

    Args:
        world: `code`, `tools` (names), `events` (bodies by name), `base` (of ids), `limits`.

    Raises:
        RefusedError: the code does not load.
    """

    def __init__(self, world: dict[str, Any], quickjs: Any) -> None:
        self._world, self._quickjs = world, quickjs
        self.tables: dict[str, str] = {}
        self.ids: dict[str, Any] = {}
        self._start()

    def begin(self, tables: dict[str, str], ids: dict[str, Any]) -> None:
        """Starts a session with these tables, as JSON texts, and counters."""
        self.tables, self.ids = dict(tables), ids
        self._run("begin", "", json.dumps({"tables": self.tables, "ids": self.ids}))

    def operate(self, kind: str, name: str, given: str) -> list[Any]:
        """`["r", result]`, `["w", result, changed tables, ids or None]` or `["f", reason, detail]`; texts are JSON."""
        answer = self._once(kind, name, given)
        if answer[0] == "f" and (answer[1] == "memory" or answer[2] == _EXHAUSTED):
            return self._once(kind, name, given)  # earlier calls may have left no memory: this one gets all of it
        return answer

    def _once(self, kind: str, name: str, given: str) -> list[Any]:
        """An answer; after a fault that may have spoilt the context, the next operation gets a new one."""
        found: list[Any]
        arm()
        try:
            answer = self._run(kind, name, given)
            found = [answer[1:]] if answer[0] == "r" else json.loads(answer[1:])
        except Exception as error:  # noqa: BLE001 - the engine's errors have no common class
            answer, found = "f", [reason_of(error), str(error).partition("\n")[0][:200]]
        if answer[0] == "w":
            self._keep(found[1], found[2])
        elif answer[0] == "f" and (found[0] in _SPOILS or found[1] == _EXHAUSTED):
            self._start()
            self.begin(self.tables, self.ids)
        return [answer[0], *found]

    def _keep(self, changed: dict[str, str | None], ids: dict[str, Any] | None) -> None:
        for table, text in changed.items():
            if text is None:
                self.tables.pop(table, None)
            else:
                self.tables[table] = text
        self.ids = self.ids if ids is None else ids

    def _start(self) -> None:
        limits = self._world["limits"]
        context = self._quickjs.Context()
        context.set_memory_limit(limits["memory"])
        context.set_max_stack_size(_STACK)
        self._run = context.eval(_REALM.read_text("utf-8"))
        context.set_time_limit(limits["seconds"])
        self._context = context
        arm()
        try:
            refused = self._run("load", "", json.dumps(self._world))
        except Exception as error:  # noqa: BLE001 - likewise
            raise RefusedError(reason_of(error), str(error).partition("\n")[0][:200]) from None
        if refused:
            raise RefusedError(*json.loads(refused[1:]))


class RefusedError(Exception):
    """A world's code does not load: reason and detail."""


def reason_of(error: Exception) -> str:
    """The reason for an error that no JavaScript could catch."""
    text = str(error)
    found = next((reason for word, reason in _UNCATCHABLE if word in text), None)
    return found or "memory"  # an engine without memory cannot say so


def serve(quickjs: Any) -> None:
    """Answers each request line: `world` loads one; `tables` and `ids` begin a session; `operations` run in order."""
    engine: Engine | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "world" in request:
                spare(request["world"]["limits"])
                engine = Engine(request["world"], quickjs)
            answers = _session(engine, request) if engine and "tables" in request else []
            reply: dict[str, Any] = {"answers": answers}
        except RefusedError as error:
            reply = {"refused": error.args}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


def _session(engine: Engine, request: dict[str, Any]) -> list[list[Any]]:
    engine.begin(request["tables"], request["ids"])
    answers: list[list[Any]] = []
    for operation in request["operations"]:
        answers.append(engine.operate(*operation))
    signal.setitimer(signal.ITIMER_PROF, 0)
    return answers


def spare(limits: dict[str, Any]) -> None:
    """Sets the CPU time of one operation after which the kernel, not Python, ends this process."""
    global _kill_s
    _kill_s = max(limits["seconds"] * _PATIENCE, _LEAST_S)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)


def arm() -> None:
    """Begins the CPU time of an operation."""
    signal.setitimer(signal.ITIMER_PROF, _kill_s)


def loaded(name: str, file: str) -> Any:
    """An extension module from its file: the sandbox shows the file, not its folder."""
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    serve(loaded("_quickjs", sys.argv[1]))
