"""What one run of a stage brought, as numbers: outcomes themselves are let go as soon as they are saved."""

from collections import Counter

from gem_tasks.domain.outcome import Outcome
from gem_tasks.errors import EndpointError, ErrorClass


class Fresh:
    """Counts of outcomes as they come.

    Attributes:
        ended: outcomes of this run.
        calls: HTTP requests that they took.
        faults: calls without a usable answer, by class.
        broken: outcomes that a later try may still turn into final ones.
    """

    def __init__(self) -> None:
        self.ended = self.calls = self.broken = 0
        self.faults: Counter[str] = Counter()
        self._last_broken: Outcome | None = None

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.ended += 1
        self.calls += outcome.cost.calls
        self.faults.update(outcome.cost.faults)
        if not outcome.final:
            self.broken += 1
            self._last_broken = outcome

    def raise_if_broken(self, before: int, allowed_share: float) -> None:
        """Raises what stood in the way when more than a share of all outcomes are not final.

        Args:
            before: outcomes of earlier visits of the same run, all of them final.
            allowed_share: 0 to 1.

        Raises:
            EndpointError: the last of them.
        """
        asked = before + self.ended
        if (last := self._last_broken) and self.broken > allowed_share * asked:
            error_class = last.error_class or ErrorClass.CONNECTION
            raise EndpointError(
                error_class, f"{self.broken} of {asked} segments got no answer; the last: {last.detail}"
            )
