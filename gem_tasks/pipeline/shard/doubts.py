"""Failures that are the segment's fault if the endpoint answers others, and the configuration's if it answers none.

A 400 or 403 does not say who is at fault: one text may be too odd for the endpoint, or a parameter of every request may
be wrong. Such failures wait, unsaved, until a completion arrives. If none does, the stage stops after a few, quotes the
endpoint, and records nothing against the segments.

Texts that do not fit the model's window wait too. Their failure states its reason and mostly costs nothing, so GEM
tries all of them: if there are several and none fits, the model or the segment size has to change.
"""

from gem_tasks.domain.outcome import Outcome
from gem_tasks.errors import DOUBTFUL, EndpointError, ErrorClass

FEW = 5
"""Requests that an endpoint may refuse before it has answered one."""


class Doubts:
    """Belongs to one run of a stage over a shard.

    Args:
        proven: whether the endpoint has answered requests of this recipe before.
    """

    def __init__(self, *, proven: bool) -> None:
        self.answered = False
        """Whether the endpoint has sent a completion in this run."""
        self.waiting: list[Outcome] = []
        """Failures whose fault is not yet known."""
        self._overlong: list[Outcome] = []
        self._proven = proven

    @property
    def grave(self) -> bool:
        """Whether the endpoint refused too many requests to send another before it answers one."""
        return len(self.waiting) >= FEW

    def settle(self, outcome: Outcome) -> list[Outcome]:
        """Outcomes that can be saved now that this one has arrived."""
        self.answered = self.answered or outcome.answered
        if outcome.error_class in DOUBTFUL:
            self.waiting.append(outcome)
            return self._take() if self.answered else []
        if outcome.error_class is ErrorClass.CONTEXT_LENGTH and not (self.answered or self._proven):
            self._overlong.append(outcome)
            return []
        return [*(self._take() if self.answered else ()), outcome]

    def end(self) -> list[Outcome]:
        """The failures still waiting when no request is in flight; a later run retries them.

        Raises:
            EndpointError: the configuration is at fault.
        """
        if self.waiting and (self.grave or not self._proven):
            raise refused(self.waiting)
        if len(self._overlong) >= FEW:
            raise overlong(self._overlong)
        taken, self._overlong = self._overlong, []
        return [*taken, *(outcome.model_copy(update={"doubtful": True}) for outcome in self._take())]

    def _take(self) -> list[Outcome]:
        taken = [*self._overlong, *self.waiting]
        self._overlong, self.waiting = [], []
        return taken


def overlong(outcomes: list[Outcome]) -> EndpointError:
    """The error if none of these texts fits the model."""
    last = outcomes[-1]
    return EndpointError(ErrorClass.CONTEXT_LENGTH, f"none of {len(outcomes)} texts fits; the last: {last.detail}")


def refused(outcomes: list[Outcome]) -> EndpointError:
    """The error if the endpoint refused all of these and answered nothing else."""
    last = outcomes[-1]
    words = f"it refused all {len(outcomes)} requests, the last with: {last.detail}"
    return EndpointError(last.error_class or ErrorClass.BAD_REQUEST, words)
