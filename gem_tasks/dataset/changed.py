"""Applies what people changed to conversations of the current recipes.

A change applies where the accepted conversation has the content on which it was made; elsewhere it stays recorded and
does nothing (`gem changes list` shows it as orphaned).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from gem_tasks.domain.change import Change, base_of, standing
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.pipeline.workspace import Workspace


class Found(NamedTuple):
    """A conversation after its changes."""

    trajectory: Trajectory
    """As edited, or as it was."""
    base: str
    """Name of its content before any edit."""
    veto: Change | None
    edit: Change | None
    changes: list[str]
    """Ids of all changes that were made to it."""


class Changed:
    """The changes of some segments."""

    def __init__(self, changes: Iterable[Change]) -> None:
        """Takes changes whose positions ascend for each conversation."""
        self._changes: defaultdict[tuple[str, str], list[Change]] = defaultdict(list)
        for change in changes:
            self._changes[change.segment_id, change.base].append(change)

    @classmethod
    def of(cls, work: Workspace, segments: Sequence[str]) -> Self:
        """The changes of these segments."""
        with work.ledger() as ledger:
            return cls(ledger.changes.of_segments(segments))

    def at(self, segment_id: str, trajectory: Trajectory) -> Found:
        """An accepted conversation of a segment, after its changes."""
        base = base_of(trajectory)
        changes = self._changes.get((segment_id, base), [])
        holds = standing(changes)
        ids = [change.change_id for change in changes]
        return Found(holds.applied(trajectory), base, holds.veto, holds.edit, ids)

    @property
    def binding(self) -> list[str]:
        """Ids of all vetoes and edits that hold, for names that depend on them."""
        return sorted(name for changes in self._changes.values() for name in standing(changes).binding)
