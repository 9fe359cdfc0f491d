"""What the trajectory's page needs for its editor, by the names that the template has for it."""

from typing import Any

from gem_tasks.console.trajectory import TrajectoryView
from gem_tasks.edits.fields import fields_of
from gem_tasks.edits.form import as_form
from gem_tasks.edits.reading import messages_of

NOTHING_WRITTEN: dict[str, Any] = {
    "problem": "", "errors": (), "others": (), "checked": False, "form": {}, "fields": (), "text": None, "started": "",
    "revision": "", "written": {}, "changes": None,
}  # fmt: skip
"""Names of the template before the user has written anything."""


def editor(view: TrajectoryView, *, whole: bool) -> dict[str, Any]:
    """The fields of each message, or the whole conversation as one text."""
    if not view.openai or not view.revision:
        return {}
    messages = messages_of(view.openai["messages"])
    made = {"text": as_form(messages)} if whole else {"fields": fields_of(messages)}
    return {**made, "started": view.revision, "revision": view.revision}
