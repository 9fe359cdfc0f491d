"""Counts the results of one run of a stage: outcomes themselves are released as soon as they are saved."""

from collections import Counter

from gem_tasks.domain.outcome import Outcome
from gem_tasks.errors import EndpointError, ErrorClass


class Tally:
    """Counts outcomes as they arrive.

    Attributes:
        ended: outcomes of this run.
        calls: HTTP requests that they took.
        faults: calls without a usable answer, by class.
        answered: whether the endpoint sent a completion.
        broken: segments whose outcome a later attempt may still turn into a final one.
    """

    def __init__(self) -> None:
        self.ended = self.calls = 0
        self.answered = False
        self.faults: Counter[str] = Counter()
        self.broken: list[str] = []
        self._last_broken: Outcome | None = None

    def add(self, outcome: Outcome) -> None:
        """Counts an outcome."""
        self.ended += 1
        self.calls += outcome.cost.calls
        self.faults.update(outcome.cost.faults)
        self.answered = self.answered or outcome.answered
        if not outcome.final:
            self.broken.append(outcome.segment_id)
            self._last_broken = outcome

    def complaint(self, asked: int) -> EndpointError:
        """The endpoint's last fault, and how many of the partition's segments it left unanswered.

        Args:
            asked: segments of the partition that the model was asked about.
        """
        last = self._last_broken
        words = f"{len(self.broken)} of {asked} segments got no answer; the last: {last.detail if last else ''}"
        return EndpointError((last and last.error_class) or ErrorClass.CONNECTION, words)
