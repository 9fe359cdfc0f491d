"""What each step of a conversation changed in its world: its steps are taken once more, within limits."""

from collections.abc import Iterator, Sequence
from threading import BoundedSemaphore
from time import monotonic
from typing import Any, cast

from gem_tasks.confine.job import SandboxMode
from gem_tasks.console.worlds.tables import short
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.trajectory import Message
from gem_tasks.errors import UserError
from gem_tasks.worlds.diff import Change, difference
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.replay import canonical, read_result
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import Session, opened
from gem_tasks.worlds.steps import Answer, Call, Deed, Step
from gem_tasks.worlds.world import World

_AT_ONCE = BoundedSemaphore(2)
_SECONDS = 10.0
_STEPS = 400
_SHOWN = 20
"""Changed records of a step."""
_VALUE = 400
_CLOCK = "now"
_NONE = "–"


class Field(Value):
    """A field of a record, before and after."""

    name: str
    before: str
    after: str


class ChangeView(Value):
    """A changed record."""

    table: str
    key: str
    kind: str
    fields: tuple[Field, ...]


class Moment(Value):
    """What a step changed."""

    changes: tuple[ChangeView, ...] = ()
    more: int = 0
    """Changed records that are left out."""
    differs: bool = False
    """Whether the result is another one than the conversation tells."""
    findings: tuple[str, ...] = ()
    """Faults of the world or of an event."""
    deeds: tuple[str, ...] = ()
    """What the user did before a message."""


class Changes(Value):
    """What the steps changed."""

    calls: dict[str, Moment]
    """By the id of the call."""
    turns: dict[int, Moment]
    """By the index of the user's message: deeds and events before it."""
    note: str = ""
    """Why moments are missing."""


def changes(
    messages: Sequence[Message], steps: Sequence[Step], world: World, scenario: Scenario, seed: int, mode: SandboxMode
) -> Changes:
    """Takes the steps again.

    Raises:
        UserError: two replays are running already.
    """
    if not _AT_ONCE.acquire(blocking=False):
        raise UserError("Other conversations are being replayed.", "Load the page again in a few seconds.")
    try:
        with opened(world, scenario, seed=seed, mode=mode) as session:
            return _replayed(messages, steps, session)
    except (RefusedWorldError, ValueError) as error:  # the code or a schema is invalid, or a deed is unknown
        return Changes(calls={}, turns={}, note=f"The world cannot be replayed: {error}")
    finally:
        _AT_ONCE.release()


def _replayed(messages: Sequence[Message], steps: Sequence[Step], session: Session) -> Changes:
    told = {message.tool_call_id: message.content for message in messages if message.role == "tool"}
    asked = iter([call.id for message in messages for call in message.tool_calls])
    spoken = iter([index for index, message in enumerate(messages) if message.role == "user"])
    calls: dict[str, Moment] = {}
    turns: dict[int, Moment] = {}
    deeds: list[str] = []
    before, until = session.state, monotonic() + _SECONDS
    for number, step in enumerate(steps):
        if number == _STEPS or monotonic() > until:
            note = f"The replay stopped after {number} of {len(steps)} steps, because it takes too long."
            return Changes(calls=calls, turns=turns, note=note)
        answer = session.take([step])[0]
        if isinstance(step, Deed):
            deeds.append(step.name)
            continue  # its changes are shown at the message that mentions it
        moment = _moment(difference(before, session.state), answer)
        before = session.state
        if isinstance(step, Call):
            key = next(asked, "")
            calls[key] = moment.model_copy(update={"differs": read_result(told.get(key)) != canonical(answer.result)})
        else:
            turns[next(spoken, -1)] = moment.model_copy(update={"deeds": tuple(deeds)})
            deeds = []
    return Changes(calls=calls, turns=turns)


def _moment(found: Sequence[Change], answer: Answer) -> Moment:
    shown = [change for change in found if change.table != _CLOCK]
    return Moment(
        changes=tuple(map(_view, shown[:_SHOWN])),
        more=max(0, len(shown) - _SHOWN),
        findings=tuple(f"{each.where}: {each.reason}: {each.detail}" for each in answer.findings),
    )


def _view(change: Change) -> ChangeView:
    fields = tuple(_fields(change.before, change.after, change.kind))
    return ChangeView(table=change.table, key=change.key or "", kind=change.kind, fields=fields)


def _fields(before: Any, after: Any, kind: str) -> Iterator[Field]:
    """The fields that differ; a single one without a name if it is no record."""
    old, new = _record(before, kind == "added"), _record(after, kind == "removed")
    if old is None or new is None:
        yield Field(name="", before=_told(before), after=_told(after))
        return
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in old or name not in new or canonical(old[name]) != canonical(new[name]):
            yield Field(
                name=name,
                before=_told(old[name]) if name in old else _NONE,
                after=_told(new[name]) if name in new else _NONE,
            )


def _record(value: Any, absent: bool) -> Json | None:
    if absent:
        return {}
    return cast("Json", value) if isinstance(value, dict) else None


def _told(value: Any) -> str:
    return short(value, _VALUE)
