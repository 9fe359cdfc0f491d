"""What people change about one trajectory: vetoes, edits, comments, and taking them back. Pure.

A change belongs to a conversation's content (`base_of`), not to its name: if the same conversation is made again, even
under another recipe, its changes apply to it; to another conversation of the same text they never do.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from gem_tasks.domain.base import Value
from gem_tasks.domain.trajectory import Message, Trajectory

ChangeKind = Literal["veto", "edit", "comment", "undo"]
Origin = Literal["page", "terminal", "argilla", "label-studio"]
MOST_WORDS = 10_000
"""Longest reason or comment, in characters."""
AUTHOR_LENGTH = 100
_MESSAGES: TypeAdapter[tuple[Message, ...]] = TypeAdapter(tuple[Message, ...])


class Change(Value):
    """One version of what people think of a trajectory; never changed once it is recorded."""

    change_id: str
    segment_id: str
    trajectory_id: str
    """The trajectory on which it was made."""
    base: str
    """`base_of` the accepted conversation."""
    position: int = 0
    """From 1, in the order of the changes of a conversation."""
    kind: ChangeKind
    author: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=AUTHOR_LENGTH)]
    origin: Origin
    words: str = Field(default="", max_length=MOST_WORDS)
    """The reason of a veto or an edit, or the comment."""
    message: int | None = None
    """The message, from 0, that a comment is about; None for the whole."""
    messages: str | None = None
    """The conversation after an edit, as JSON."""
    kept: str = Field(default="", max_length=MOST_WORDS)
    """Why an edit is right in spite of its errors."""
    findings: tuple[str, ...] = ()
    """These errors, as `check: kind`."""
    undoes: str | None = None
    """The change that an `undo` takes back."""
    created_at: datetime | None = None


class Standing(Value):
    """What holds after all changes of a conversation."""

    veto: Change | None = None
    edit: Change | None = None
    """The last edit that was not taken back; an earlier one holds again once the later ones are."""
    comments: tuple[Change, ...] = ()

    def applied(self, trajectory: Trajectory) -> Trajectory:
        """The conversation with its edit; its tools stay."""
        if self.edit is None:
            return trajectory
        return Trajectory(tools=trajectory.tools, messages=_MESSAGES.validate_json(self.edit.messages or "[]"))

    @property
    def binding(self) -> list[str]:
        """Ids of the changes that decide about the content: those of the veto and the edit."""
        return [change.change_id for change in (self.veto, self.edit) if change]


def standing(changes: Sequence[Change]) -> Standing:
    """What holds after the changes of one conversation, given in their order."""
    undone = {change.undoes for change in changes}
    holds = [change for change in changes if change.kind != "undo" and change.change_id not in undone]
    return Standing(
        veto=next((change for change in reversed(holds) if change.kind == "veto"), None),
        edit=next((change for change in reversed(holds) if change.kind == "edit"), None),
        comments=tuple(change for change in holds if change.kind == "comment"),
    )


def base_of(trajectory: Trajectory) -> str:
    """The name of a conversation's content, 24 hex characters: tools and messages as the Chat Completions API has them.

    It is never published: with it, one could test guesses of replaced personal data.
    """
    tools = [tool.to_openai() for tool in trajectory.tools]
    data = json.dumps([[message.to_openai() for message in trajectory.messages], tools], ensure_ascii=False)
    return sha256(data.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def dump_messages(messages: Iterable[Message]) -> str:
    """Messages as the JSON text of an edit."""
    return _MESSAGES.dump_json(tuple(messages)).decode()
