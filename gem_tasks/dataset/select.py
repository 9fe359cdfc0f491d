"""Selects the accepted trajectories of a dataset version, and rewrites them for publication.

It leaves out, with a recorded reason, what people vetoed, overlaps with benchmark test items, near duplicates of
another trajectory of the partition, and by a setting those that name persons of their source. People's edits come
first, so that all of this looks at what is published. It replaces other personal data of the source.
"""

import json
from collections.abc import Iterator, Sequence

from gem_tasks.corpus.near import Signature, signatures
from gem_tasks.dataset import contamination
from gem_tasks.dataset.changed import Changed
from gem_tasks.dataset.names import named
from gem_tasks.dataset.privacy import scrub
from gem_tasks.dataset.row import Row
from gem_tasks.domain.base import Value
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.pipeline.workspace import Workspace

PERSONS_NAMED = "persons_named"


class Exclusion(Value):
    """An accepted trajectory that is not published."""

    segment_id: str
    trajectory_id: str
    reason: str
    """`vetoed`, `contaminated`, `near_duplicate` or `persons_named`."""
    detail: str


class Chosen(Value):
    """A trajectory in its published form."""

    row: Row
    replaced: dict[str, int]
    flagged: dict[str, int]
    names: tuple[str, ...]
    """Names of persons from the source."""
    contamination: str | None
    """Set only if contaminated trajectories are kept on purpose."""
    base: str
    """Name of the accepted conversation's content, before any edit."""
    edit: str | None = None
    """The change that edited it."""


class Selection:
    """Reads the rows of one partition, shard by shard, in order.

    Attributes:
        index: the index of test items.
        exclusions: the exclusions so far.
        considered: the changes whose conversations were found so far.
    """

    def __init__(self, work: Workspace) -> None:
        self.index = index_of(work)
        self.exclusions: list[Exclusion] = []
        self.considered: list[str] = []
        self._work = work
        self._keep_contaminated = work.settings.keep_contaminated
        self._exclude_names = work.settings.exclude_names
        self._threshold = work.settings.near_duplicate
        self._seen: dict[int, list[tuple[str, Signature]]] = {}

    def choose(self, rows: Sequence[Row]) -> Iterator[Chosen]:
        """Yields the trajectories of a shard that are published."""
        wanted = list(self._wanted(rows))
        signed = signatures([_spoken(row.trajectory) for row, _, _ in wanted])
        for (row, base, edit), signature in zip(wanted, signed, strict=True):
            overlap, names = self.index.overlap(row.trajectory), named(row.trajectory, row.segment.text)
            if overlap and not self._keep_contaminated:
                self._leave_out(row, "contaminated", overlap)
            elif names and self._exclude_names:
                self._leave_out(row, PERSONS_NAMED, f"names persons of its source: {', '.join(names)}")
            elif self._threshold and (twin := self._twin(signature)):
                self._leave_out(row, "near_duplicate", f"nearly the same trajectory as that of segment {twin}")
            else:
                for band in signature.bands:
                    self._seen.setdefault(band, []).append((row.segment.segment_id, signature))
                clean = scrub(row.trajectory, row.segment.text, row.segment.language)
                yield Chosen(
                    row=row.model_copy(update={"trajectory": clean.trajectory}),
                    replaced=clean.replaced,
                    flagged=clean.flagged,
                    names=names,
                    contamination=overlap,
                    base=base,
                    edit=edit,
                )

    def _wanted(self, rows: Sequence[Row]) -> Iterator[tuple[Row, str, str | None]]:
        """Rows that people did not veto, in their edited form, with the accepted content's name and the edit."""
        changed = Changed.of(self._work, [row.segment.segment_id for row in rows])
        for row in rows:
            found = changed.at(row.segment.segment_id, row.trajectory)
            self.considered += found.changes
            if found.veto:
                self._leave_out(row, "vetoed", found.veto.words)
            else:
                edited = row.model_copy(update={"trajectory": found.trajectory, "edited": bool(found.edit)})
                yield edited, found.base, found.edit.change_id if found.edit else None

    def _leave_out(self, row: Row, reason: str, detail: str) -> None:
        of, key = row.segment.segment_id, row.trajectory_id
        self.exclusions.append(Exclusion(segment_id=of, trajectory_id=key, reason=reason, detail=detail))

    def _twin(self, signature: Signature) -> str | None:
        near = (found for band in signature.bands for found in self._seen.get(band, ()))
        return next((of for of, other in near if signature.similarity(other.digest) >= self._threshold), None)


def index_of(work: Workspace) -> contamination.Index:
    """The index of test items: the one that was built for this store, otherwise the one that comes with GEM.

    Raises:
        StoreError: it is damaged.
    """
    if work.store.exists(contamination.KEY):
        return contamination.decode(work.fetch(contamination.KEY))
    return contamination.shipped_index()


def _spoken(trajectory: Trajectory) -> str:
    """Messages and calls as text, without the system turn and results, which often differ in ids and dates only."""
    parts: list[str] = []
    for message in trajectory.messages:
        if message.role in ("user", "assistant"):
            parts.append(message.content or "")
            parts += [f"{call.name} {json.dumps(call.arguments, sort_keys=True)}" for call in message.tool_calls]
    return "\n".join(parts)
