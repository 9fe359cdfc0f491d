"""Calls from any state of a world, one by one, in one child."""

import json
from typing import Any, NamedTuple, cast

from gem_tasks.domain.base import Json
from gem_tasks.worlds.diff import Change, difference
from gem_tasks.worlds.session import Session
from gem_tasks.worlds.steps import Answer, Call, Finding, Snapshot
from gem_tasks.worlds.trials.failure import Failure, short, told
from gem_tasks.worlds.world import Tool, World


class Tried(NamedTuple):
    """A call, its answer, and the states before and after it."""

    call: Call
    before: Snapshot
    answer: Answer
    after: Snapshot

    @property
    def result(self) -> Json:
        """What the assistant would see."""
        return self.answer.result or {}

    @property
    def succeeded(self) -> bool:
        """Whether it is no error."""
        return not self.answer.findings and self.result.get("error") is None

    @property
    def changed(self) -> list[Change]:
        """Records that differ afterwards; the clock is none."""
        return [each for each in difference(self.before, self.after) if each.table != "now"]

    @property
    def told(self) -> str:
        """The call in short."""
        return told(self.call.name, self.call.arguments)

    @property
    def answered(self) -> str:
        """The call and its result in short."""
        return f"{self.told} answered {short(self.result)}"

    def fault(self) -> Failure | None:
        """What the runtime found wrong with the world. A limit that only the schema enforces is another trial."""
        found = next((each for each in self.answer.findings if each.reason != "unenforced"), None)
        return found and _fault(found, self)


class Bench:
    """A world to try calls in.

    Attributes:
        first: its first state.
        tools: its tools by name.
        errors: codes of the errors that calls had.
    """

    def __init__(self, world: World, session: Session) -> None:
        self._session = session
        self.first, self.world = session.state, world
        self.errors = set[str]()
        self.tools: dict[str, Tool] = {tool.name: tool for tool in world.tools}

    def call(self, name: str, arguments: Any, at: Snapshot) -> Tried:
        """Makes a call in a state."""
        made = Call(name=name, arguments=arguments)
        self._session.state = at
        answer = self._session.take([made])[0]
        if error := (answer.result or {}).get("error"):
            self.errors.add(str(cast("Json", error).get("code")) if isinstance(error, dict) else str(error))
        return Tried(made, at, answer, self._session.state)

    def with_tables(self, tables: Json) -> Snapshot:
        """The first state with other contents of tables."""
        return self.first.model_copy(
            update={"tables": self.first.tables | {name: json.dumps(each) for name, each in tables.items()}}
        )


def tables(at: Snapshot) -> dict[str, Json]:
    """The tables of a state that hold records by id."""
    found = {name: json.loads(text) for name, text in at.tables.items()}
    return {name: cast("Json", table) for name, table in found.items() if _holds_records(table)}


def _holds_records(table: Any) -> bool:
    return isinstance(table, dict) and all(isinstance(each, dict | list) for each in cast("Json", table).values())


def _fault(found: Finding, tried: Tried) -> Failure:
    return Failure(found.reason, tried.call.name, f"{tried.told}: {found.detail}")
