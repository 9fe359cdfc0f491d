"""Runs the checks over rows: every row gives one result, regardless of its content.

A violation of GEM's rules of form is only a warning for a foreign row: a missing system prompt, an assistant that
speaks first, a short conversation, and one that ends in the call to be learned, as single-turn data does.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import cast

from gem_tasks.checks import run_checks
from gem_tasks.checks.faults import Fault
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.finding import Finding
from gem_tasks.lint.files import Line, read_files
from gem_tasks.lint.rows import DEFAULT_COLUMNS, Columns, Conversation, RowError, read_row

FORM = "format"
"""The check of findings about the format of a row."""
_CHUNK = 32
_FEW = 256
"""Rows up to which starting processes takes longer than the checks."""
_AHEAD = 4
"""Chunks that wait for each process: a file is never read far ahead of the checks."""


class RowFinding(Value):
    """One fault of a conversation, pointing at its place in the row."""

    check: str
    kind: str
    severity: str
    """`error`, `open` (code cannot tell whether it is a fault) or `warning`."""
    message: int | None
    """Position in the row's list of messages; None for tools, a separate column, or the whole row."""
    path: str
    """JSON path inside the call's arguments, the result or the tool's schema; empty for the whole message."""
    detail: str


class CheckedRow(Value):
    """The findings of the checks for one row."""

    id: str
    """The row's own id, otherwise file and line."""
    origin: str
    """`FILE:LINE`, or `row N`."""
    format: str
    """The format of the row; empty if it is unreadable."""
    findings: tuple[RowFinding, ...]

    def worst(self) -> str:
        """The worst severity of the findings; empty without findings."""
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in ("error", "open", "warning") if severity in found), "")


def check_rows(
    rows: Iterable[Json], *, format_: str | None = None, columns: Columns = DEFAULT_COLUMNS
) -> Iterator[CheckedRow]:
    """Findings of rows in memory, in their order, one result per row.

    Args:
        rows: dictionaries from `datasets`, `json` or `pyarrow`.
        format_: one of `FORMATS`; None to detect it by the columns of each row.
        columns: columns of the source text and the extraction, for the checks that compare.
    """
    for number, row in enumerate(rows, 1):
        yield check_line(Line(f"row {number}", row), format_, columns)


def check_files(
    paths: Iterable[str], *, format_: str | None = None, columns: Columns = DEFAULT_COLUMNS, jobs: int = 1
) -> Iterator[CheckedRow]:
    """Findings of all rows of files, in their order; memory does not grow with the files.

    Args:
        paths: JSONL, JSON or Parquet files (also `.gz`, `.zst`), folders of them, or `hf://datasets/OWNER/NAME[/PATH]`.
        format_: one of `FORMATS`; None to detect it by the columns of each row.
        columns: columns of the source text and the extraction.
        jobs: processes.

    Raises:
        UserError: a path does not exist, or contains nothing readable.
    """
    work = partial(_chunk, format_=format_, columns=columns)
    lines = read_files(paths)
    first = list(islice(lines, _FEW))
    if jobs == 1 or len(first) < _FEW:
        yield from work(first)
        for line in lines:
            yield check_line(line, format_, columns)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(work, first)]
        while chunk := list(islice(lines, _CHUNK)):
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > jobs * _AHEAD:
                yield from waiting.pop(0).result()
        for each in waiting:
            yield from each.result()


def check_line(line: Line, format_: str | None = None, columns: Columns = DEFAULT_COLUMNS) -> CheckedRow:
    """The result of one row; an unreadable row has one finding that says why."""
    if line.problem:
        return _unreadable(line, RowError(*line.problem))
    try:
        found = read_row(cast(Json, line.row), format_, columns)
    except RowError as error:
        return _unreadable(line, error)
    findings = [RowFinding(check=FORM, kind=kind, severity="warning", message=None, path="", detail=detail)
                for kind, detail in found.notes]  # fmt: skip
    findings += [_placed(finding, found) for finding in run_checks(found.trajectory, found.evidence)]
    return CheckedRow(id=found.ident or line.origin, origin=line.origin, format=found.format, findings=tuple(findings))


def _chunk(lines: list[Line], format_: str | None, columns: Columns) -> list[CheckedRow]:
    return [check_line(line, format_, columns) for line in lines]


def _unreadable(line: Line, error: RowError) -> CheckedRow:
    finding = RowFinding(
        check=FORM, kind=error.kind, severity="error", message=error.message, path="", detail=str(error)[:300]
    )
    ident = line.row.get("id") if isinstance(line.row, dict) else None
    return CheckedRow(
        id=str(ident)[:200] if isinstance(ident, str | int) else line.origin,
        origin=line.origin,
        format="",
        findings=(finding,),
    )


def _placed(finding: Finding, found: Conversation) -> RowFinding:
    """The finding with the row's own positions and names, and its severity for this kind of row."""
    at = finding.message_index
    detail = finding.detail
    for ours, theirs in found.tool_names.items():
        detail = detail.replace(ours, theirs)
    return RowFinding(
        check=finding.check,
        kind=finding.kind,
        severity=_severity(finding, found),
        message=None if at is None or at >= len(found.places) else found.places[at],
        path=finding.json_path,
        detail=detail,
    )


def _severity(finding: Finding, found: Conversation) -> str:
    severity = finding.severity.value
    return "warning" if severity == "error" and not found.compared and _only_form(finding, found) else severity


def _only_form(finding: Finding, found: Conversation) -> bool:
    messages = found.trajectory.messages
    if finding.check != "structure":
        return finding.kind == Fault.TOO_FEW.kind  # how long a conversation has to be is for its owner to say
    if finding.kind == "role_order":
        at = finding.message_index or 0
        opens = all(message.role == "system" for message in messages[:at])
        return opens and messages[at].role in ("user", "assistant")
    single = not any(message.role == "tool" for message in messages) and bool(messages[-1].tool_calls)
    return finding.kind in ("ending", "unanswered_call") and single
