"""The child process of one world: lines in, lines out.

    python -I -S worker.py FILE_OF_QUICKJS

Standard library and the engine only: it is confined and imports no code of GEM. The engine interrupts JavaScript at its
time limit, but not the language's own functions, such as a search in a long text: then the kernel ends this process
after a multiple of that CPU time, and the parent finds out which operation it was.
"""

import json
import signal
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_PATIENCE = 4
"""Times the engine's limit until the kernel ends the process."""
_LEAST_S, _kill_s = 0.5, 1.0
_UNCATCHABLE = (("interrupted", "timeout"), ("stack", "stack"), ("tag", "crashed"))
_STACK = 1 << 20
"""Bytes of the engine's stack: an eighth of what the process has."""


class Engine:
    """A world's code in a context, which a new one replaces after a fault that may have spoilt it.

    Args:
        world: JSON of `code`, `tools` (functions by name), `limits`, `start` (`tables` as JSON texts, and `ids`).
    """

    def __init__(self, world: str, quickjs: Any) -> None:
        self._world, self._quickjs = world, quickjs
        self._limits = json.loads(world)["limits"]
        self._scenarios: list[str] = []
        spare(self._limits["seconds"])

    def load(self) -> str:
        """`o`, or `r[reason, detail]` if the code does not load."""
        context = self._quickjs.Context()
        context.set_memory_limit(self._limits["memory"])
        context.set_max_stack_size(_STACK)
        realm, *parts = ((_FOLDER / f"{name}.js").read_text("utf-8") for name in ("realm", "tables", "helpers", "code"))
        self._run = context.eval(f"({realm})({', '.join(parts)})")
        context.set_time_limit(self._limits["seconds"])
        self._context, self._spoilt = context, False
        told = self._told("load", self._world)
        for each in self._scenarios:
            self._told("scenario", each)
        return told if told[0] == "o" else f"r{told[1:]}"

    def scenario(self, text: str) -> str:
        """Adds `events` by `name` of the scenario; answers like `load`."""
        if self._spoilt:
            self.load()
        told = self._told("scenario", text)
        if told[0] != "o":
            return f"r{told[1:]}"
        self._scenarios.append(json.dumps({**json.loads(text), "now": False}))
        return told

    def begin(self, text: str) -> str:
        """Begins with `tables` and `ids` in a new context: nothing that happened before has left it less memory."""
        self.load()
        return self._told("begin", text)

    def batch(self, text: str, kind: str = "batch") -> str:
        """`o{"done": …}`, or `x[reason, detail]`: not every operation was carried out, and none is of effect.

        Args:
            text: JSON of `first` (otherwise it begins where the last one ended), `base`, `scenario`, `operations`.
            kind: `batch`, or `replays`, whose text is different.
        """
        if self._spoilt:
            self.load()
        told = self._told(kind, text)
        self._spoilt = told[0] != "o"
        return told

    def replays(self, text: str) -> str:
        """Whole conversations: `o[…]`, or `x[reason, detail]` for all.

        Args:
            text: JSON of `[head, operations]` for each, where `head` is that of a batch, and with `every` the
                operations whose results are the wanted ones come back too. After it, each after a tab, the wanted
                results of all operations, as the engine writes JSON; empty: none is wanted.
        """
        return self.batch(text, "replays")

    def _told(self, kind: str, text: str) -> str:
        arm(_kill_s)
        try:
            return self._run(kind, text)
        except Exception as error:  # noqa: BLE001 - the engine's errors have no common class
            return "x" + json.dumps([reason_of(error), str(error).partition("\n")[0][:200]])
        finally:
            arm(0)


def reason_of(error: Exception) -> str:
    """The reason for an error that no JavaScript could catch."""
    text = str(error)
    found = next((reason for word, reason in _UNCATCHABLE if word in text), None)
    return found or "memory"  # an engine without memory cannot say so


def serve(quickjs: Any) -> None:
    """Answers each line: its first character says what it asks for, the rest is JSON."""
    engine: Engine | None = None
    for line in sys.stdin.buffer:
        kind, text = chr(line[0]), line[1:].decode("utf-8")
        if kind == "l" or engine is None:
            engine = Engine(text, quickjs)
            told = engine.load()
        else:
            told = {"s": engine.scenario, "t": engine.begin, "b": engine.batch, "m": engine.replays}[kind](text)
        sys.stdout.buffer.write(told.encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()


def spare(seconds: float) -> None:
    """Sets the CPU time of one request after which the kernel, not Python, ends this process."""
    global _kill_s
    _kill_s = max(seconds * _PATIENCE, _LEAST_S)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)


def arm(seconds: float) -> None:
    """Begins the CPU time of a request; 0 ends it."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


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
