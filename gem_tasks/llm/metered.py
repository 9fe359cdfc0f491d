"""A `ChatClient` that puts a price on every answer and stops before the budget is overspent."""

from collections.abc import Callable
from typing import Protocol

from gem_tasks.domain.chat import ChatRequest, Completion, Usage
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.prices import Pricing
from gem_tasks.llm.tokens import estimate_tokens
from gem_tasks.llm.usage import Trust, at_least
from gem_tasks.ports import ChatClient

_ENOUGH = 20
_MARGIN = 1.25


class UntrueUsageError(UserError):
    """The endpoint's reports of tokens cannot be true, so no budget can be kept by them."""


class Reckoning:
    """What answers cost, as far as a budget is concerned; for calls as for batches.

    Args:
        pricing: of the model.
    """

    def __init__(self, pricing: Pricing) -> None:
        self._pricing, self._trust = pricing, Trust()

    def take(self, request: ChatRequest, completion: Completion) -> tuple[float, float]:
        """Price of the next answer in USD: as reported, and what the budget reckons with, the larger count of both."""
        self._trust.look(request, completion)
        spent = self._pricing(completion.usage)
        return spent, max(spent, self._pricing(at_least(completion, request.body)))

    def require_trust(self, model: str) -> None:
        """Before more is spent.

        Raises:
            UntrueUsageError: what the endpoint reports is no base for keeping a budget.
        """
        if self._trust.fault:
            raise UntrueUsageError(
                f"GEM cannot enforce the budget: for model {model!r}, {self._trust.fault}",
                "Correct the endpoint's `usage`, or run without a budget: GEM then counts tokens itself."
                " `gem dialects` shows what each model reports.",
            )


class Allowance(Protocol):
    """Money that may be spent. Settled at the larger of reported and counted tokens: rather early than late."""

    async def reserve(self, usd: float) -> None:
        """Sets so much aside for a call.

        Raises:
            UserError: there is not so much left, and nothing under way that could give some back.
        """
        ...

    def settle(self, reserved: float, spent: float) -> None:
        """The call is over; what it did not take is free again."""
        ...


class MeteredClient:
    """Prices answers.

    Before a call its prompt and the longest answer seen so far (a quarter more, and at most its token budget) are set
    aside; the budget alone as long as there are few answers to go by.

    Args:
        client: makes the calls.
        pricing: of its model.
        allowance: None to spend without a limit.
        known: how many answers to such requests came before, and the longest in tokens.
        limit_of: tokens that an answer may have, thoughts included; by default what the request asks for.
    """

    def __init__(
        self,
        client: ChatClient,
        pricing: Pricing,
        allowance: Allowance | None,
        known: tuple[int, int] = (0, 0),
        limit_of: Callable[[ChatRequest], int] = lambda request: request.sampling.max_tokens,
    ) -> None:
        self._limit_of = limit_of
        self._client, self._pricing, self._allowance = client, pricing, allowance
        self._answers, self._longest = known
        self._reckoning = Reckoning(pricing)

    async def complete(self, request: ChatRequest) -> Completion:
        """Makes the call if there is money for it; see `ChatClient.complete` and `Allowance.reserve`.

        Raises:
            UntrueUsageError: there is a budget, and what the endpoint reports is no base for keeping it.
        """
        estimate = self._estimate(request) if self._allowance else 0.0
        if self._allowance:
            self._reckoning.require_trust(request.model)
            await self._allowance.reserve(estimate)
        spent, reckoned, timeouts = 0.0, 0.0, 0
        try:
            completion = await self._client.complete(request)
            spent, reckoned = self._reckoning.take(request, completion)
            timeouts = completion.faults.get(ErrorClass.TIMEOUT, 0)
        except EndpointError as error:
            timeouts = error.faults.get(ErrorClass.TIMEOUT, 0)
            raise
        finally:
            if self._allowance:
                # An endpoint may charge for what we hung up on, and does not say.
                self._allowance.settle(estimate, reckoned + timeouts * estimate)
        self._answers += 1
        self._longest = max(self._longest, completion.usage.completion_tokens)
        return completion.model_copy(update={"usd": spent})

    def _estimate(self, request: ChatRequest) -> float:
        longest = self._limit_of(request)
        if self._answers >= _ENOUGH:
            longest = min(longest, int(self._longest * _MARGIN))
        prompt = estimate_tokens(request.body)
        # Some charge more for a prompt that they put into their cache, and whether they will is not known.
        written = Usage(prompt_tokens=prompt, cache_write_tokens=prompt, completion_tokens=longest)
        return self._pricing(written)
