"""Forms on a trajectory's page: veto, comment, edit, take back, carry over. They work without scripts.

For users who may start runs of `gem_synthesize`, and only from pages of this origin. The page shows a
recorded change; a refused one comes back with its reason and everything that the user wrote.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gem_console import rendering
from gem_console.auth import UserDep
from gem_console.bodies import form_body
from gem_console.routes.common import ReaderDep
from gem_console.routes.editor import NOTHING_WRITTEN
from gem_tasks.console import trajectory as view_of
from gem_tasks.domain.finding import Finding
from gem_tasks.domain.trajectory import Message
from gem_tasks.edits import make
from gem_tasks.edits.fields import fields_of, with_fields
from gem_tasks.edits.findings import check
from gem_tasks.edits.form import as_form
from gem_tasks.edits.make import By, ConflictError, FaultyEditError, NothingNewError
from gem_tasks.edits.reading import read_conversation
from gem_tasks.edits.subject import load, revisions
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace

router = APIRouter()

Form = dict[str, str]


class _Problem(Exception):
    """An edit that is not recorded, with what the page needs to show it again."""

    def __init__(self, said: str, status: int, errors: tuple[Finding, ...] = (), **kept: Any) -> None:
        super().__init__(said)
        self.said, self.status, self.errors, self.kept = said, status, errors, kept


@router.post("/trajectories/{trajectory_id}/changes")
async def change(
    request: Request, reader: ReaderDep, user: UserDep, trajectory_id: str, form: Annotated[Form, Depends(form_body)]
) -> Response:
    """Records a change, and goes back to the page."""
    by = By(user.get_name(), "page")
    act = _ACTS.get(form.get("kind", ""), _unknown)
    try:
        await reader.do(lambda work: act(work, trajectory_id, by, form))
    except _Problem as problem:
        shown = problem
    except UserError as error:
        shown = _Problem(str(error), 409 if isinstance(error, ConflictError | NothingNewError) else 422)
    else:
        return RedirectResponse(f"../{trajectory_id}#people", 303)

    def ask(db: Any, work: Workspace) -> HTMLResponse:
        view = view_of.by_id(db, work, trajectory_id)
        if view is None:
            return rendering.page(request, "error.html", {"status": 404, "detail": shown.said}, 404)
        edits = {"show": "edit", **shown.kept} if shown.kept else {"show": ""}
        said = {"problem": shown.said, "errors": shown.errors, "form": form, "may_act": True}
        given = {"view": view, **NOTHING_WRITTEN, **said, **edits}
        return rendering.page(request, "trajectory.html", given, shown.status)

    return await reader.ask(ask)


def _veto(work: Workspace, key: str, by: By, form: Form) -> None:
    make.veto(work, key, form.get("words", ""), by)


def _comment(work: Workspace, key: str, by: By, form: Form) -> None:
    at = form.get("message", "")
    message = int(at) if at.isascii() and at.isdigit() and len(at) < 6 else None
    make.comment(work, key, form.get("words", ""), by, message)


def _undo(work: Workspace, key: str, by: By, form: Form) -> None:
    make.undo(work, form.get("change", ""), by)


def _carry(work: Workspace, key: str, by: By, form: Form) -> None:
    make.carry(work, form.get("change", ""), key, by)


def _edit(work: Workspace, key: str, by: By, form: Form) -> None:
    """Records an edit.

    Raises:
        _Problem: it was only checked, or it is refused.
    """
    subject = load(work, key)
    started = form.get("from") or form.get("revision", "")
    before = revisions(subject).get(started)
    kept: dict[str, Any] = {"started": started, "revision": form.get("revision", ""), "text": form.get("text")}
    if before is None:
        new = subject.revision
        kept |= {"started": new, "revision": new, "text": form.get("text") or _joined(form)}
        raise _Problem(
            "The conversation was made again after you opened it, and is different. Your text is below.", 409, **kept
        )
    kept["fields"] = fields_of(before)
    try:
        messages = _written(before, form)
    except UserError as error:
        raise _Problem(str(error), 422, **kept, written=form) from None
    kept["fields"] = fields_of(messages)
    kept["text"] = as_form(messages) if "text" in form else None
    if form.get("action") == "check":
        checked = check(subject, messages)
        said = "Nothing is saved yet. " + ("The checks find errors." if checked.errors else "No errors were added.")
        raise _Problem(said, 200, checked.errors, **kept, others=checked.others, checked=True)
    try:
        make.edit(work, key, messages, by, revision=form.get("revision", ""), why=form.get("why", ""),
                  keep=form.get("keep", ""))  # fmt: skip
    except FaultyEditError as error:
        raise _Problem(str(error), 422, error.errors, **kept) from None
    except ConflictError as error:
        # The user is told of the new version, and may save once more.
        kept["revision"] = subject.revision
        raise _Problem(str(error), 409, **kept) from None
    except UserError as error:
        raise _Problem(str(error), 409 if isinstance(error, NothingNewError) else 422, **kept) from None


def _written(before: tuple[Message, ...], form: Form) -> tuple[Message, ...]:
    if "text" in form:
        return read_conversation(form["text"].replace("\r\n", "\n"))
    return with_fields(before, form)


def _joined(form: Form) -> str:
    """What the user wrote into the fields of messages, as one text to copy from."""
    return "\n\n".join(f"{name}:\n{form[name]}" for name in form if name.startswith(("content-", "arguments-")))


def _unknown(work: Workspace, key: str, by: By, form: Form) -> None:
    raise UserError("The form names no kind of change", "Open the trajectory's page again.")


_ACTS: dict[str, Callable[[Workspace, str, By, Form], None]] = {
    "veto": _veto, "comment": _comment, "edit": _edit, "undo": _undo, "carry": _carry
}  # fmt: skip
