"""Replays the rows of files, in parallel: every row gives one result, regardless of its content."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice, zip_longest
from multiprocessing import get_context
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, Literal, cast

from gem_tasks.confine.job import SandboxMode
from gem_tasks.corpus.text.harmless import harmless_json
from gem_tasks.domain.base import Json, Value
from gem_tasks.errors import GemError
from gem_tasks.lint.files import Line, read_files
from gem_tasks.lint.replay.compare import Difference, first_difference, shown
from gem_tasks.lint.replay.recorded import NoProofError, Told, acted, agree, execution_of, told_by
from gem_tasks.lint.replay.shelf import NoWorldError, beside, find
from gem_tasks.lint.rows import RowError, read_row
from gem_tasks.lint.run import end_with_parent
from gem_tasks.worlds.played import Execution, name_of
from gem_tasks.worlds.pool import Pool
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.reading import Shelved, UnreadableWorldError
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import Recorded
from gem_tasks.worlds.steps import Answer, Call, Deed, Step

Status = Literal["equal", "different", "not_executed", "world_missing", "world_broken", "unreadable"]
_FEW = 64
"""Rows for which processes do not pay."""
_CHUNK = 64
_AHEAD = 2
"""Chunks for each process that are read ahead of the results."""
_KEPT = 4
"""Idle children of a process: rows of a world usually follow each other."""
_PATIENCE_S = 60.0
"""Time for one conversation: a world that uses its limits up in every call is broken."""


class ReplayedRow(Value):
    """What the replay of one row led to."""

    id: str
    """The row's own id, otherwise file and line."""
    origin: str
    """`FILE:LINE`."""
    status: Status
    world: str = ""
    detail: str = ""
    """The first difference, or the reason."""
    message: int | None = None
    """Position of the message that differs."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A row with its execution."""

    ident: str
    origin: str
    execution: Execution
    told: list[Told]

    def ended(self, status: Status, detail: str = "", message: int | None = None) -> ReplayedRow:
        world = self.execution.world[:24]
        return ReplayedRow(
            id=self.ident, origin=self.origin, status=status, world=world, detail=detail, message=message
        )


def replay_files(
    paths: Iterable[str], *, worlds: Path | None = None, jobs: int = 1, mode: SandboxMode = "auto"
) -> Iterator[ReplayedRow]:
    """Results of all rows of files, in their order; memory does not grow with the files.

    Args:
        paths: as for `check_files`.
        worlds: folder of the worlds; None: `worlds/` beside each file.
        jobs: processes, each of which runs one world at a time in a confined process of its own.
        mode: strictness of the sandbox.

    Raises:
        UserError: a path does not exist, or contains nothing readable.
    """
    lines = read_files(paths)
    first = list(islice(lines, _FEW))
    if jobs == 1 or len(first) < _FEW:
        with Pool(_KEPT, mode) as children:
            while first:
                yield from _replayed(first, worlds, children)
                first = list(islice(lines, _CHUNK))
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin, initargs=(mode,)) as pool:
        waiting = deque([pool.submit(_in_process, first, worlds)])
        while chunk := list(islice(lines, _CHUNK)):
            waiting.append(pool.submit(_in_process, chunk, worlds))
            if len(waiting) > jobs * _AHEAD:
                yield from waiting.popleft().result()
        for each in waiting:
            yield from each.result()


_children: Pool
"""Of a process that replays: sessions of the worlds that it ran last."""


def _begin(mode: SandboxMode) -> None:
    global _children
    _children = Pool(_KEPT, mode)
    Finalize(None, _children.close, exitpriority=1)  # such a process ends without `atexit`
    end_with_parent()


def _in_process(lines: list[Line], worlds: Path | None) -> list[ReplayedRow]:
    return _replayed(lines, worlds, _children)


def _replayed(lines: list[Line], worlds: Path | None, children: Pool) -> list[ReplayedRow]:
    found = [_recorded(line) for line in lines]
    groups: dict[tuple[str, tuple[Path, ...]], list[_Recorded]] = defaultdict(list)
    for each in found:
        if isinstance(each, _Recorded):
            groups[each.execution.world, (worlds,) if worlds else beside(each.origin)].append(each)
    done = {
        row.origin: row
        for (world, folders), rows in groups.items()
        for row in _of_world(world, folders, rows, children)
    }
    return [each if isinstance(each, ReplayedRow) else done[each.origin] for each in found]


def _recorded(line: Line) -> _Recorded | ReplayedRow:
    row: Any = line.row
    if line.problem:
        return ReplayedRow(id=line.origin, origin=line.origin, status="unreadable", detail=line.problem.detail[:300])
    ident = line.origin
    try:
        execution = execution_of(cast(Json, row))
        if execution is None:
            return ReplayedRow(id=ident, origin=line.origin, status="not_executed")
        conversation = read_row(cast(Json, row))
    except (NoProofError, RowError) as error:
        return ReplayedRow(id=ident, origin=line.origin, status="unreadable", detail=str(error)[:300])
    return _Recorded(conversation.ident or ident, line.origin, execution, told_by(conversation))


def _of_world(world: str, folders: tuple[Path, ...], rows: list[_Recorded], children: Pool) -> Iterator[ReplayedRow]:
    try:
        shelved = find(world, folders)
    except NoWorldError as error:
        yield from (row.ended("world_missing", str(error)) for row in rows)
        return
    except UnreadableWorldError as error:
        yield from (row.ended("world_broken", str(error)) for row in rows)
        return
    asked = [(row, _asked(row, shelved.scenarios)) for row in rows]
    yield from (each for _, each in asked if isinstance(each, ReplayedRow))
    yield from _in([(row, each) for row, each in asked if isinstance(each, Recorded)], shelved, children)


def _asked(row: _Recorded, scenarios: dict[str, Scenario]) -> Recorded | ReplayedRow:
    """What the world is asked for, or why it need not be asked."""
    name = name_of(row.execution)
    scenario = scenarios.get(name)
    if scenario is None:
        return row.ended("world_broken", f"its file has no scenario {name[:80]!r}")
    try:
        if odd := _apart(row):
            return row.ended("different", str(odd), odd.message)
    except RecursionError:
        return row.ended("unreadable", "the arguments of a call are nested too deeply")
    steps = row.execution.steps
    deeds = {name for name, event in scenario.events.items() if event.trigger is None}
    if unknown := next((step for step in steps if isinstance(step, Deed) and step.name not in deeds), None):
        return row.ended("different", f"the scenario has no deed {unknown.name[:80]!r}")
    results: list[Any] = [None] * len(steps)
    for told, (index, _) in zip(row.told, acted(steps), strict=True):
        results[index] = None if told.name is None else _read(told.result)
    return Recorded(steps, results, scenario, row.execution.seed)


def _in(asked: list[tuple[_Recorded, Recorded]], world: Shelved, children: Pool) -> Iterator[ReplayedRow]:
    left = deque(row for row, _ in asked)
    if not left:
        return
    try:
        with children.opened(world.world) as session:
            for found in session.replay((each for _, each in asked), patience_s=_PATIENCE_S):
                row = left.popleft()
                yield row.ended("world_broken", found[:300]) if isinstance(found, str) else _compared(row, found)
    except RefusedWorldError as error:
        yield from (row.ended("world_broken", ": ".join(map(str, error.args))[:300]) for row in left)
    except (ValueError, GemError) as error:
        yield from (row.ended("world_broken", str(error)[:300]) for row in left)


def _apart(row: _Recorded) -> Difference | None:
    """The first turn or call of the conversation that the steps do not have, or the other way round."""
    for told, step in zip_longest(row.told, (step for _, step in acted(row.execution.steps))):
        if told is None or step is None or not agree(told, step):
            place = told.place if told else None
            return Difference(place, "the step", _said(told), "(none)" if step is None else _step(step))
    return None


def _said(told: Told | None) -> str:
    if told is None:
        return "(none)"
    return "a turn of the user" if told.name is None else f"{told.name} {shown(told.arguments)}"


def _step(step: Step) -> str:
    return f"{step.name} {shown(step.arguments)}" if isinstance(step, Call) else "a turn of the user"


def _compared(row: _Recorded, answers: dict[int, Answer]) -> ReplayedRow:
    """Of the answers that differ: publication may have changed texts that could harm readers."""
    for told, (index, _) in zip(row.told, acted(row.execution.steps), strict=True):
        if index not in answers:
            continue
        real = json.loads(harmless_json(json.dumps(answers[index].result)))
        odd = first_difference(_read(told.result), real)
        if odd and answers[index].findings:
            fault = answers[index].findings[0]
            return row.ended("world_broken", f"{fault.where}: {fault.reason}: {fault.detail}"[:300], told.shown_at)
        if odd:
            found = Difference(told.shown_at, f"{told.name} {odd[0]}", shown(odd[1]), shown(odd[2]))
            return row.ended("different", str(found), told.shown_at)
    return row.ended("equal")


def _read(result: str | None) -> Any:
    try:
        return json.loads(result or "null")
    except (ValueError, RecursionError):
        return result
