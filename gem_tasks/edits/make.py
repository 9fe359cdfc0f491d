"""Records changes. Each is a new version of what people think of a conversation; nothing is overwritten."""

from typing import Any, NamedTuple
from uuid import uuid4

from gem_tasks.corpus.text.harmless import harmless
from gem_tasks.domain.change import AUTHOR_LENGTH, MOST_WORDS, Change, Origin, dump_messages, standing
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import Message
from gem_tasks.edits.findings import Checked, check
from gem_tasks.edits.subject import Subject, load
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace


class By(NamedTuple):
    """Who makes a change, and with what."""

    author: str
    origin: Origin


class ConflictError(UserError):
    """Someone else changed the conversation since the author read it; nothing was recorded."""


class NothingNewError(UserError):
    """The change is there already; nothing was recorded."""


class FaultyEditError(UserError):
    """The checks find errors in an edit that the author did not give a reason to keep.

    Attributes:
        errors: the findings.
    """

    def __init__(self, errors: tuple[Finding, ...]) -> None:
        first, more = errors[0], len(errors) - 1
        super().__init__(
            f"The checks find errors in the edit: {placed(first)}" + (f" (and {more} more)" if more else ""),
            "Correct them, or keep the edit and say why.",
        )
        self.errors = errors


class Edited(NamedTuple):
    """A recorded edit and what the checks say about it."""

    change: Change
    checked: Checked


def placed(finding: Finding) -> str:
    """A finding in one line, with its place."""
    at = "" if finding.message_index is None else f"message {finding.message_index}, "
    return f"{at}{finding.check}: {finding.detail}"


def veto(work: Workspace, trajectory: str, why: str, by: By) -> Change:
    """Keeps a trajectory out of the next dataset versions, and out of exports at once.

    Raises:
        UserError: there is no such trajectory, it is vetoed already, or the reason is missing.
    """
    subject = load(work, trajectory)
    words = _words(why, "reason")
    return _add(work, subject, by, kind="veto", words=words)


def edit(
    work: Workspace,
    trajectory: str,
    messages: tuple[Message, ...],
    by: By,
    *,
    revision: str | None = None,
    why: str = "",
    keep: str = "",
) -> Edited:
    """Replaces the messages of a trajectory; its tools stay.

    Args:
        work: workspace with the trajectory.
        trajectory: its id, or the first characters.
        messages: all messages, edited or not.
        by: author.
        revision: revision that the author read; None to replace any.
        why: the reason of the edit; may be empty.
        keep: why the edit is right in spite of errors that the checks find; empty to refuse such an edit.

    Raises:
        ConflictError: what is shown is no longer that revision.
        NothingNewError: the messages are those shown.
        FaultyEditError: the checks find new errors, and `keep` is empty.
        UserError: there is no such trajectory, or a text is too long.
    """
    subject = load(work, trajectory)
    if revision is not None and revision != subject.revision:
        raise _conflict(subject)
    if messages == subject.shown.messages:
        raise NothingNewError("The conversation is as it was", "Change a message, or leave it.")
    checked = check(subject, messages)
    keep = _words(keep, "reason") if keep.strip() else ""
    if checked.errors and not keep:
        raise FaultyEditError(checked.errors)
    change = _add(
        work,
        subject,
        by,
        kind="edit",
        words=_words(why, "reason") if why.strip() else "",
        messages=dump_messages(messages),
        kept=keep if checked.errors else "",
        findings=tuple(f"{each.check}: {each.kind}" for each in checked.errors),
    )
    return Edited(change, checked)


def comment(work: Workspace, trajectory: str, text: str, by: By, message: int | None = None) -> Change:
    """Records a comment on a message, from 0, or on the whole conversation.

    Raises:
        UserError: there is no such trajectory or message, or the comment is empty or there already.
    """
    subject = load(work, trajectory)
    count = len(subject.shown.messages)
    if message is not None and not 0 <= message < count:
        raise UserError(f"There is no message {message}", f"Messages are numbered 0 to {count - 1}.")
    return _add(work, subject, by, kind="comment", words=_words(text, "comment"), message=message)


def undo(work: Workspace, prefix: str, by: By, trajectory: str | None = None) -> Change:
    """Takes a change back; it stays in the history.

    Args:
        work: workspace.
        prefix: id of the change, or its first characters.
        by: who takes it back.
        trajectory: the trajectory that it must belong to; None for any.

    Raises:
        UserError: there is no such change, more than one, or it cannot be taken back.
    """
    with work.ledger() as ledger, ledger.transaction():
        found = ledger.changes.find(prefix) if prefix else []
        if len(found) != 1 or trajectory not in (None, found[0].trajectory_id):
            cause = "More than one change begins" if len(found) > 1 else "No change begins"
            raise UserError(f"{cause} with {prefix[:80]!r}", "`gem changes list` prints their ids.")
        (change,) = found
        if change.kind == "undo":
            raise UserError("This change took another one back", "Make that other change again instead.")
        ledger.changes.lock(change.segment_id)
        if any(each.undoes == change.change_id for each in ledger.changes.of_segments([change.segment_id])):
            raise NothingNewError(f"Change {change.change_id} is taken back already", "Nothing is left to do.")
        same = change.model_dump(include={"segment_id", "trajectory_id", "base", "message"})
        return ledger.changes.add(_change(by, **same, kind="undo", undoes=change.change_id))


def carry(work: Workspace, prefix: str, trajectory: str, by: By, keep: str = "") -> Change:
    """Makes an orphaned change again on the trajectory that its text has now; the author is the person who carries it.

    Raises:
        UserError: there is no such change or trajectory, they are of different texts, or as for making the change.
    """
    with work.ledger() as ledger:
        found = ledger.changes.find(prefix) if prefix else []
    if len(found) != 1:
        cause = "More than one change begins" if found else "No change begins"
        raise UserError(f"{cause} with {prefix[:80]!r}", "`gem changes list` prints their ids.")
    (change,) = found
    subject = load(work, trajectory)
    if subject.item.segment_id != change.segment_id:
        raise UserError(
            f"Change {change.change_id} is about another text", "`gem lineage` lists a text's trajectories."
        )
    if change.base == subject.base:
        raise NothingNewError("The change is about this very conversation", "It applies already.")
    ident = subject.item.trajectory_id
    if change.kind == "veto":
        return veto(work, ident, change.words, by)
    if change.kind == "comment":
        there = change.message is not None and change.message < len(subject.shown.messages)
        return comment(work, ident, change.words, by, change.message if there else None)
    if change.kind == "edit":
        messages = subject.holds.model_copy(update={"edit": change}).applied(subject.accepted).messages
        made = edit(work, ident, messages, by, revision=subject.revision, why=change.words, keep=keep or change.kept)
        return made.change
    raise UserError("This change took another one back", "Carry over what should hold instead.")


def _add(work: Workspace, subject: Subject, by: By, **values: Any) -> Change:
    """Appends a change, unless another one since `subject` was loaded is in its way."""
    item = subject.item
    made = _change(
        by, segment_id=item.segment_id, trajectory_id=item.trajectory_id, base=subject.base, **values
    )  # fmt: skip
    with work.ledger() as ledger, ledger.transaction():
        ledger.changes.lock(item.segment_id)
        changes = [each for each in ledger.changes.of_segments([item.segment_id]) if each.base == subject.base]
        holds = standing(changes)
        if made.kind == "edit" and holds.edit != subject.holds.edit:
            raise _conflict(subject)
        if made.kind == "veto" and holds.veto:
            raise NothingNewError(
                f"{holds.veto.author} vetoed it already: {holds.veto.words}", "Nothing is left to do."
            )
        said = (made.author, made.message, made.words)
        if made.kind == "comment" and said in [(each.author, each.message, each.words) for each in holds.comments]:
            raise NothingNewError("The same comment by the same author is there already", "Nothing is left to do.")
        return ledger.changes.add(made)


def _change(by: By, **values: Any) -> Change:
    author = harmless(by.author).strip()
    if not 1 <= len(author) <= AUTHOR_LENGTH or "\n" in author:
        raise UserError(f"An author's name has 1 to {AUTHOR_LENGTH} characters", "Give one with --author.")
    return Change(change_id=uuid4().hex[:12], author=author, origin=by.origin, **values)


def _conflict(subject: Subject) -> ConflictError:
    last = subject.holds.edit
    who = f"{last.author} edited it" if last else "The edit on which yours was based was taken back"
    return ConflictError(
        f"{who} after you opened trajectory {subject.item.trajectory_id}",
        "Look at the new version, and edit that.",
    )


def _words(text: str, what: str) -> str:
    words = harmless(text).strip()
    if not 1 <= len(words) <= MOST_WORDS:
        raise UserError(f"A {what} has 1 to {MOST_WORDS:,} characters", f"Give a {what} of that length.")
    return words
