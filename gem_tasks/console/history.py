"""What people changed about the conversations of a text, for readers: each edit with its difference."""

from collections.abc import Sequence

from gem_tasks.domain.change import Standing, base_of
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.edits.form import difference
from gem_tasks.edits.subject import shown_form
from gem_tasks.lineage.changes import ListedChange

_MOST_DIFFS = 20
"""Edits whose difference is shown: the newest."""


class ChangeView(ListedChange):
    """A change with what it changed."""

    here: bool
    """Whether it is about the conversation that is shown, and not about one that was made since."""
    diff: tuple[str, ...] = ()
    """Lines of the edit's difference from the version before it, as `diff -u` writes them."""


def history(changes: Sequence[ListedChange], accepted: Trajectory, segment: Segment) -> tuple[ChangeView, ...]:
    """The changes, newest first.

    Args:
        changes: all changes of the text's conversations, oldest first.
        accepted: the conversation that is shown, before any edit.
        segment: its text.
    """
    base = base_of(accepted)
    edits = [each for each in changes if each.kind == "edit" and each.base == base]
    states = [accepted, *(Standing(edit=each).applied(accepted) for each in edits)]
    versions = [shown_form(each, segment).messages for each in states[-_MOST_DIFFS - 1 :]]
    diffs = {
        each.change_id: tuple(difference(before, after))
        for each, before, after in zip(edits[-_MOST_DIFFS:], versions, versions[1:], strict=False)
    }
    shown = (
        ChangeView(**each.model_dump(exclude={"messages"}), messages=None, here=each.base == base,
                   diff=diffs.get(each.change_id, ()))
        for each in changes
    )  # fmt: skip
    return tuple(shown)[::-1]
