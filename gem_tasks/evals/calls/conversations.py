"""Conversations to measure on, from rows of datasets; what cannot be measured is left out with its reason."""

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.errors import UserError
from gem_tasks.evals.calls.kept import Kept, Place
from gem_tasks.lint.files import Line, read_files
from gem_tasks.lint.kinds import FormKind
from gem_tasks.lint.rows import RowError, read_row
from gem_tasks.redaction import beginning

_SHOWN = 200
_ID = 12
_EXAMPLES = 3


class Conversation(NamedTuple):
    """A conversation with tools."""

    name: str
    """Unique among those of a run: the id of its row, otherwise by its content, wherever its file is."""
    document: str | None
    """Id of the document that it was made of; None if the row does not tell."""
    origin: str
    """Of its row, for people: `FILE:LINE`."""
    kept: Kept
    place: Place

    @property
    def trajectory(self) -> Trajectory:
        """Its tools and messages, read when they are needed: a corpus is larger than memory."""
        return self.kept.read(self.place)


@dataclass
class LeftOut:
    """What does not count, by reason, with some examples of each."""

    counts: Counter[str] = field(default_factory=Counter[str])
    examples: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def add(self, reason: str, where: str, detail: str = "") -> None:
        """Counts one row or turn."""
        self.counts[reason] += 1
        known = self.examples.setdefault(reason, [])
        if len(known) < _EXAMPLES:
            known.append(beginning(f"{where}: {detail}" if detail else where, _SHOWN))

    def plain(self) -> Json:
        """For the report."""
        return {
            reason: {"count": count, "examples": self.examples[reason]} for reason, count in self.counts.most_common()
        }


def read_conversations(rows: Iterable[Line], left_out: LeftOut) -> list[Conversation]:
    """The conversations of these rows, in their order.

    Args:
        rows: of files, or of a dataset.
        left_out: gets the rows that are no conversation with tools.
    """
    found: dict[str, Conversation] = {}
    kept = Kept()
    for line in rows:
        if line.problem or line.row is None:
            kind, detail = (line.problem.kind, line.problem.detail) if line.problem else ("no_object", "")
            left_out.add(str(kind), line.origin, detail)
            continue
        try:
            read = read_row(line.row)
        except RowError as error:
            left_out.add(str(error.kind), line.origin, str(error))
            continue
        if not read.trajectory.tools:
            left_out.add("no_tools", line.origin)
            continue
        digest = _digest(read.trajectory)
        if digest is None:
            left_out.add(str(FormKind.BAD_ENCODING), line.origin, "it has half a surrogate pair")
            continue
        name = _unused(read.ident or digest, found)
        found[name] = Conversation(name, _document(line.row), line.origin, kept, kept.add(read.trajectory))
    return list(found.values())


def in_files(paths: Iterable[str], left_out: LeftOut) -> list[Conversation]:
    """The conversations of files and folders, in every format that `gem check` reads.

    Raises:
        UserError: a path does not exist, or there is no conversation with tools.
    """
    listed = list(paths)
    found = read_conversations(read_files(listed), left_out)
    if not found:
        why = ", ".join(f"{reason} {count}" for reason, count in left_out.counts.items()) or "no rows"
        raise UserError(f"{' '.join(listed)} has no conversation with tools ({why})", "Give `messages` and `tools`.")
    return found


def _digest(trajectory: Trajectory) -> str | None:
    """Names a conversation without an id; None if UTF-8, and so a request, cannot write it."""
    try:
        return sha256(trajectory.model_dump_json().encode()).hexdigest()[:_ID]
    except ValueError:  # of pydantic and of Python
        return None


def _unused(name: str, taken: dict[str, Conversation]) -> str:
    """The name, with a number if another conversation has it."""
    if name not in taken:
        return name
    number = 2
    while f"{name}~{number}" in taken:
        number += 1
    return f"{name}~{number}"


def _document(row: Json) -> str | None:
    """By its own word, otherwise by the id of its segment: of a row of a set, or in the metadata of an export."""
    if isinstance(named := row.get("document"), str) and named:
        return named
    about = row.get("metadata")
    if isinstance(about, str):
        with suppress(ValueError, RecursionError):
            about = json.loads(about)
    places: tuple[Json, Json] = (row, cast(Json, about) if isinstance(about, dict) else {})
    ids = (place.get("segment_id") for place in places)
    return next((each.rpartition(".")[0] or each for each in ids if isinstance(each, str) and each), None)
