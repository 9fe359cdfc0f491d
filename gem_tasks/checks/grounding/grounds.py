"""Sources at a point of the conversation: everything said so far, by speaker."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, cast

from gem_tasks.checks.reading.case import Case, Rows
from gem_tasks.checks.reading.dates import Calendar
from gem_tasks.checks.reading.kinds import Kinds
from gem_tasks.checks.reading.said import Said, Utterance

_LAST_DATES = 5
"""Dates of the system turn that may be the current date."""
_RECENT_TURNS = 4
"""Utterances whose numbers a sum may use."""
_RECENT_NUMBERS = 40
"""Most numbers of those utterances to try, the last ones."""


@dataclass
class Grounds:
    """The sources so far; `hear` adds the next message."""

    case: Case
    given: Said = field(default_factory=Said)
    """Words of system turn, users and tools."""
    told: Said = field(default_factory=Said)
    """Words of system turn and users only."""
    proposed: Said = field(default_factory=Said)
    """Words of the assistant that the user has answered."""
    lengths: set[int] = field(default_factory=set[int])
    """Lengths of the lists in results."""
    kinds: Kinds = field(init=False)
    _pending: list[Utterance] = field(default_factory=list[Utterance])
    """Words of the assistant that the user has not answered yet."""
    _system: str = ""
    _recent: tuple[tuple[int, int], list[float]] = ((0, 0), [])
    """Numbers of utterances and proposals until then."""

    def __post_init__(self) -> None:
        self.kinds = Kinds(self.case)

    @cached_property
    def today(self) -> list[date]:
        """The latest dates of the system turn, one of which is the current one."""
        calendar = Calendar()
        calendar.read_dates(self._system)
        return sorted(calendar.dates)[-_LAST_DATES:]

    def hear(self, index: int) -> None:
        """Adds a message to the sources."""
        role, said = self.case.messages[index].role, self.case.utterances[index]
        if role == "assistant":
            self._pending.append(said)
            return
        self.given.add(said)
        if role == "user":
            for proposal in self._pending:
                self.proposed.add(proposal)
            self._pending.clear()
        if role == "tool":
            answered = self.case.answered.get(index)
            call = answered.call.name if answered else ""
            self._hear_result(self.case.data.get(index), self.case.rows.get(index, ()), call)
            return
        self.told.add(said)
        if role == "system":
            self._system += said.text + "\n"

    def _hear_result(self, data: Any, rows: Rows, call: str) -> None:
        if isinstance(data, list):
            self.lengths.add(len(cast("list[Any]", data)))
        self.kinds.hear(rows, call)
        for _, row in rows:
            for value in row.values():
                if isinstance(value, list):
                    self.lengths.add(len(cast("list[Any]", value)))

    def recent_numbers(self) -> list[float]:
        """Numbers of the latest utterances: sums use these."""
        until = len(self.given.utterances), len(self.proposed.utterances)
        if self._recent[0] != until:
            self._recent = until, self._numbers_at_hand()
        return self._recent[1]

    def _numbers_at_hand(self) -> list[float]:
        found: list[float] = []
        for item in self.given.utterances[-_RECENT_TURNS:] + self.proposed.utterances[-1:]:
            found.extend(sorted(number for number in item.numbers if number not in (0, 1)))
        return found[-_RECENT_NUMBERS:]
