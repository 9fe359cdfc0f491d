"""Failures that are a segment's own if the endpoint answers others, and the configuration's if it answers none.

A request that is refused with 400 or 403 does not say whose fault it is: one text may be too odd for the endpoint, or a
parameter of every request may be wrong. Such failures wait, unsaved, until a completion arrives. If none does, the
stage stops after a few, with the endpoint's own words, and nothing is recorded against the segments.

Texts that do not fit the model's window wait too. They say why and mostly cost nothing, so all are looked at: if there
are a few and none of them fits, it is the model, or the size of segments, that has to change.
"""

from gem_tasks.domain.outcome import Outcome
from gem_tasks.errors import DOUBTFUL, EndpointError, ErrorClass

FEW = 5
"""Requests that an endpoint may refuse before it has answered one."""


class Doubts:
    """One per run of a stage over a shard.

    Args:
        proven: the endpoint has answered requests of this recipe before.
    """

    def __init__(self, *, proven: bool) -> None:
        self.answered = False
        """Whether the endpoint has sent a completion in this run."""
        self.waiting: list[Outcome] = []
        """Failures of which it is not known whose fault they are."""
        self._overlong: list[Outcome] = []
        self._proven = proven

    @property
    def grave(self) -> bool:
        """Whether so many were refused that no other request should follow until one is answered."""
        return len(self.waiting) >= FEW

    def settle(self, outcome: Outcome) -> list[Outcome]:
        """What can be saved, now that this one has come."""
        self.answered = self.answered or outcome.answered
        if outcome.error_class in DOUBTFUL:
            self.waiting.append(outcome)
            return self._take() if self.answered else []
        if outcome.error_class is ErrorClass.CONTEXT_LENGTH and not (self.answered or self._proven):
            self._overlong.append(outcome)
            return []
        return [*(self._take() if self.answered else ()), outcome]

    def end(self) -> list[Outcome]:
        """What waits when no request is under way any more, as failures that a later run asks about again.

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
    """None of these fits what the model takes."""
    last = outcomes[-1]
    return EndpointError(ErrorClass.CONTEXT_LENGTH, f"none of {len(outcomes)} texts fits, the last: {last.detail}")


def refused(outcomes: list[Outcome]) -> EndpointError:
    """What an endpoint said that refused all of these, and answered nothing else."""
    last = outcomes[-1]
    words = f"it refused all {len(outcomes)} requests that it was sent, the last with: {last.detail}"
    return EndpointError(last.error_class or ErrorClass.BAD_REQUEST, words)
