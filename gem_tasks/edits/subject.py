"""The trajectory that people look at and change: as accepted, as edited, and as shown without personal data."""

from hashlib import sha256
from typing import NamedTuple

from gem_tasks.corpus.text.harmless import harmless_json
from gem_tasks.dataset.privacy import scrub
from gem_tasks.domain.change import Change, Standing, base_of, dump_messages, standing
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.record import Record
from gem_tasks.domain.trajectory import Message, Trajectory
from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger
from gem_tasks.lineage.changes import Item
from gem_tasks.pipeline.conversations import Place, conversations
from gem_tasks.pipeline.workspace import Workspace


class Subject(NamedTuple):
    """One trajectory with its changes."""

    item: Item
    record: Record
    """Has the segment and its workflows."""
    accepted: Trajectory
    base: str
    changes: tuple[Change, ...]
    """All changes of this conversation, in order."""
    holds: Standing
    shown: Trajectory
    """With the edit, without personal data: what people see, edit and publish."""

    @property
    def revision(self) -> str:
        """Name of what is shown, 12 hex characters: an edit of an older revision is a conflict."""
        return revision_of(self.shown.messages)


def shown_form(trajectory: Trajectory, segment: Segment) -> Trajectory:
    """A conversation as it is published: without personal data and harmful characters."""
    clean = scrub(trajectory, segment.text, segment.language).trajectory
    return Trajectory.model_validate_json(harmless_json(clean.model_dump_json()))


def revisions(subject: Subject) -> dict[str, tuple[Message, ...]]:
    """Everything that people may have been shown of this conversation, by revision."""
    segment = subject.record.segment
    edits = [change for change in subject.changes if change.kind == "edit"]
    versions = [subject.accepted, *(Standing(edit=change).applied(subject.accepted) for change in edits)]
    shown = [shown_form(each, segment) for each in versions]
    return {revision_of(each.messages): each.messages for each in shown}


def revision_of(messages: tuple[Message, ...]) -> str:
    """The name of these messages."""
    return sha256(dump_messages(messages).encode()).hexdigest()[:12]


def find(ledger: Ledger, prefix: str) -> Item:
    """The only trajectory whose id has this prefix, published now or before.

    Raises:
        UserError: there is none, or more than one.
    """
    found = ledger.changes.items(prefix) if prefix else []
    exact = [item for item in found if item.trajectory_id == prefix]
    if len(exact or found) != 1:
        cause = f"{len(found)} trajectories begin" if found else "No published trajectory begins"
        raise UserError(f"{cause} with {prefix[:80]!r}", "`gem run` and `gem lineage` print ids of trajectories.")
    return (exact or found)[0]


def load(work: Workspace, prefix: str) -> Subject:
    """The trajectory of this id, or of its first characters.

    Raises:
        UserError: there is none, more than one, or its text was withdrawn.
        StoreError: its objects were removed.
    """
    with work.ledger() as ledger:
        item = find(ledger, prefix)
        if not item.live:
            cause = f"The document of trajectory {item.trajectory_id} no longer exists"
            raise UserError(cause, "Its trajectories are in no dataset version; there is nothing to change.")
        place = Place(item.partition, item.shard, item.recipe_id, item.segment_id)
        found = list(conversations(ledger, work.fetch, [place]))
        if not found:
            raise UserError(
                f"The conversation of trajectory {item.trajectory_id} is no longer stored",
                "`gem lineage` lists the newer trajectories of its document.",
            )
        changes = ledger.changes.of_segments([item.segment_id])
    record, accepted = found[0].record, found[0].trajectory
    base = base_of(accepted)
    mine = tuple(change for change in changes if change.base == base)
    holds = standing(mine)
    segment = record.segment
    shown = shown_form(holds.applied(accepted), segment)
    opened = record.model_copy(update={"opened": frozenset(item.opened)})
    return Subject(item, opened, accepted, base, mine, holds, shown)
