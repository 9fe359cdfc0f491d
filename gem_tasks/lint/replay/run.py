"""Replays the rows of files, worlds in parallel: every row gives one result, regardless of its content."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, zip_longest
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
from gem_tasks.worlds.played import Execution, name_of
from gem_tasks.worlds.pool import Pool
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.reading import Shelved, UnreadableWorldError
from gem_tasks.worlds.session import Session
from gem_tasks.worlds.steps import Answer, Call, Step

Status = Literal["equal", "different", "not_executed", "world_missing", "world_broken", "unreadable"]
_CHUNK = 128
_SLICE = 50
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
        jobs: worlds that run at the same time, each in a confined process.
        mode: strictness of the sandbox.

    Raises:
        UserError: a path does not exist, or contains nothing readable.
    """
    lines = read_files(paths)
    with ThreadPoolExecutor(jobs) as threads, Pool(jobs, mode) as children:
        while chunk := list(islice(lines, _CHUNK)):
            yield from _replayed(chunk, worlds, threads, children)


def _replayed(
    lines: list[Line], worlds: Path | None, threads: ThreadPoolExecutor, children: Pool
) -> Iterator[ReplayedRow]:
    found = [_recorded(line) for line in lines]
    groups: dict[tuple[str, tuple[Path, ...]], list[_Recorded]] = defaultdict(list)
    for each in found:
        if isinstance(each, _Recorded):
            groups[each.execution.world, (worlds,) if worlds else beside(each.origin)].append(each)
    work = [threads.submit(_of_world, world, folders, rows, children) for (world, folders), rows in groups.items()]
    done = {row.origin: row for each in work for row in each.result()}
    yield from (each if isinstance(each, ReplayedRow) else done[each.origin] for each in found)


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


def _of_world(world: str, folders: tuple[Path, ...], rows: list[_Recorded], children: Pool) -> list[ReplayedRow]:
    try:
        shelved = find(world, folders)
    except NoWorldError as error:
        return [row.ended("world_missing", str(error)) for row in rows]
    except UnreadableWorldError as error:
        return [row.ended("world_broken", str(error)) for row in rows]
    return [_in(shelved, row, children) for row in rows]


def _in(world: Shelved, row: _Recorded, children: Pool) -> ReplayedRow:
    name = name_of(row.execution)
    scenario = world.scenarios.get(name)
    if scenario is None:
        return row.ended("world_broken", f"its file has no scenario {name[:80]!r}")
    try:
        with children.opened(world.world, scenario, seed=row.execution.seed) as session:
            return _of_row(session, row)
    except RefusedWorldError as error:
        return row.ended("world_broken", ": ".join(map(str, error.args))[:300])
    except (ValueError, GemError) as error:
        return row.ended("world_broken", str(error)[:300])


def _of_row(session: Session, row: _Recorded) -> ReplayedRow:
    try:
        if odd := _apart(row):
            return row.ended("different", str(odd), odd.message)
    except RecursionError:
        return row.ended("unreadable", "the arguments of a call are nested too deeply")
    steps, answers, end = row.execution.steps, list[Answer](), time.monotonic() + _PATIENCE_S
    for start in range(0, len(steps), _SLICE):
        if time.monotonic() > end:
            return row.ended("world_broken", f"the replay took more than {_PATIENCE_S:.0f} s")
        try:
            answers += session.take(steps[start : start + _SLICE])
        except ValueError as error:
            return row.ended("different", str(error)[:300])
    return _compared(row, answers)


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


def _compared(row: _Recorded, answers: list[Answer]) -> ReplayedRow:
    for told, (index, _) in zip(row.told, acted(row.execution.steps), strict=True):
        if told.name is None:
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
