"""Turns the answers of annotation tools into changes, and into ratings of an audit. An odd row never stops the rest."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from pydantic import ValidationError

from gem_tasks.audit.rate import rate
from gem_tasks.domain.audit import QUALITIES, Audit, Rating
from gem_tasks.domain.base import Value
from gem_tasks.domain.trajectory import Message
from gem_tasks.edits.answers import Answer
from gem_tasks.edits.make import By, NothingNewError, comment, edit, veto
from gem_tasks.edits.reading import read_conversation
from gem_tasks.edits.subject import load, revisions
from gem_tasks.errors import StoreError, UserError
from gem_tasks.pipeline.workspace import Workspace

Outcome = Literal["recorded", "unchanged", "refused"]


class Imported(Value):
    """What became of one part of an answer."""

    row: str
    trajectory_id: str
    author: str
    what: Literal["row", "veto", "edit", "comment", "rating"]
    outcome: Outcome
    reason: str = ""
    """Why it was refused, or that it is there already."""


def import_answers(
    work: Workspace, answers: Iterable[Answer], *, author: str = "", audit: Audit | None = None, keep: str = ""
) -> Iterator[Imported]:
    """Records the answers one by one, and yields what became of each part.

    Args:
        work: workspace with the trajectories.
        answers: from `read_answers`.
        author: author of rows that name none.
        audit: audit that receives the ratings; without one, ratings are refused.
        keep: reason to keep corrections in which the checks find errors; empty to refuse them.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        named = answer if answer.author else answer.model_copy(update={"author": author})
        key = (named.trajectory_id, named.author)
        seen[key] += not named.problem
        if problem := named.problem or _problem(named, seen[key]):
            yield _said(named, "row", "refused", problem)
            continue
        try:
            subject = load(work, named.trajectory_id)
        except (UserError, StoreError) as error:
            yield _said(named, "row", "refused", str(error))
            continue
        if subject.item.trajectory_id != named.trajectory_id:
            yield _said(named, "row", "refused", "there is no trajectory with this id")
            continue
        shown = revisions(subject)
        if named.revision not in shown:
            yield _said(named, "row", "refused", "it is about an earlier version of the conversation; export it again")
            continue
        yield from _record(work, named, shown[named.revision], keep)
        if named.scores:
            yield _rated(work, named, audit)


def _problem(answer: Answer, times: int) -> str:
    if not answer.trajectory_id:
        return "it names no trajectory"
    if not answer.author:
        return "it names no annotator; give --author"
    return "it is a duplicate of an earlier row" if times > 1 else ""


def _record(work: Workspace, answer: Answer, shown: tuple[Message, ...], keep: str) -> Iterator[Imported]:
    by = By(answer.author, answer.origin)
    found = answer.trajectory_id
    if answer.corrected.strip():
        yield _try(answer, "edit", lambda: _correct(work, answer, shown, by, keep))
    if answer.veto:
        why = answer.reason.strip() or f"no reason given in {answer.origin}"
        yield _try(answer, "veto", lambda: veto(work, found, why, by))
    if answer.comment.strip():
        yield _try(answer, "comment", lambda: comment(work, found, answer.comment, by))


def _correct(work: Workspace, answer: Answer, shown: tuple[Message, ...], by: By, keep: str) -> object:
    messages = read_conversation(answer.corrected)
    now = load(work, answer.trajectory_id)
    if messages in (shown, now.shown.messages):
        raise NothingNewError("the text is as it was", "")
    why = "" if answer.veto else answer.reason
    return edit(work, answer.trajectory_id, messages, by, revision=answer.revision, why=why, keep=keep)


def _try(answer: Answer, what: Literal["veto", "edit", "comment"], record: Callable[[], object]) -> Imported:
    try:
        record()
    except NothingNewError as error:
        return _said(answer, what, "unchanged", error.cause)
    except (UserError, StoreError) as error:
        return _said(answer, what, "refused", str(error))
    return _said(answer, what, "recorded")


def _rated(work: Workspace, answer: Answer, audit: Audit | None) -> Imported:
    if audit is None:
        return _said(answer, "rating", "refused", "ratings belong to an audit; give --audit")
    if missing := [name for name in QUALITIES if name not in answer.scores]:
        return _said(answer, "rating", "refused", f"the score of {missing[0]} is missing")
    try:
        given = {"item_id": answer.trajectory_id, "rater": answer.author, "comment": answer.comment[:2000]}
        rate(work, audit, [Rating.model_validate({**given, **answer.scores})])
    except (UserError, ValidationError) as error:
        return _said(answer, "rating", "refused", str(error).splitlines()[0])
    return _said(answer, "rating", "recorded")


def _said(answer: Answer, what: Literal["row", "veto", "edit", "comment", "rating"], outcome: Outcome,
          reason: str = "") -> Imported:  # fmt: skip
    return Imported(row=answer.row, trajectory_id=answer.trajectory_id[:80], author=answer.author, what=what,
                    outcome=outcome, reason=reason)  # fmt: skip
