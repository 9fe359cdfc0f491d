"""A `ChatClient` that prices every answer and stops before the budget is overspent."""

from collections.abc import Callable
from typing import Protocol

from gem_tasks.domain.chat import ChatRequest, Completion, Usage
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.usage.counts import Trust, at_least
from gem_tasks.llm.usage.prices import Pricing
from gem_tasks.llm.usage.tokens import estimate_tokens
from gem_tasks.ports import ChatClient

_ENOUGH = 20
_MARGIN = 1.25


class UntrueUsageError(UserError):
    """The endpoint's token counts cannot be true, so they cannot enforce a budget."""


class Reckoning:
    """Cost of answers as a budget counts it; for calls and batches alike.

    Args:
        pricing: prices of the model.
    """

    def __init__(self, pricing: Pricing) -> None:
        self._pricing, self._trust = pricing, Trust()

    def take(self, request: ChatRequest, completion: Completion) -> tuple[float, float]:
        """Price of the next answer in USD: as reported, and as the budget counts it, by the larger of both counts."""
        self._trust.look(request, completion)
        spent = self._pricing(completion.usage)
        return spent, max(spent, self._pricing(at_least(completion, request.body)))

    def require_trust(self, model: str) -> None:
        """To be called before more is spent.

        Raises:
            UntrueUsageError: the endpoint's token counts cannot enforce a budget.
        """
        if self._trust.fault:
            raise UntrueUsageError(
                f"GEM cannot enforce the budget: for model {model!r}, {self._trust.fault}",
                "Correct the endpoint's `usage`, or run without a budget: GEM then counts tokens itself."
                " `gem dialects` shows what each model reports.",
            )


class Allowance(Protocol):
    """Money that may be spent. Settled at the larger of reported and counted tokens, to err on the safe side."""

    async def reserve(self, usd: float) -> None:
        """Reserves an amount for a call.

        Raises:
            UserError: too little is left, and no call in flight could return some.
        """
        ...

    def settle(self, reserved: float, spent: float) -> None:
        """Ends a call; its unspent reserve is free again."""
        ...


class MeteredClient:
    """Prices answers.

    Before a call it reserves the price of the prompt and of the longest answer so far (plus a quarter, up to its token
    budget); until there are enough answers, that of the whole token budget.

    Args:
        client: makes the calls.
        pricing: prices of its model.
        allowance: None to spend without a limit.
        known: number of earlier answers to such requests, and the longest in tokens.
        limit_of: tokens allowed for an answer, thoughts included; by default what the request asks for.
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
        """Makes the call if the budget allows it; see `ChatClient.complete` and `Allowance.reserve`.

        Raises:
            UntrueUsageError: there is a budget, and the endpoint's token counts cannot enforce it.
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
                # An endpoint may charge for abandoned requests without reporting it.
                self._allowance.settle(estimate, reckoned + timeouts * estimate)
        self._answers += 1
        self._longest = max(self._longest, completion.usage.completion_tokens)
        return completion.model_copy(update={"usd": spent})

    def _estimate(self, request: ChatRequest) -> float:
        longest = self._limit_of(request)
        if self._answers >= _ENOUGH:
            longest = min(longest, int(self._longest * _MARGIN))
        prompt = estimate_tokens(request.body)
        # Some charge more for a prompt that they cache, and it is unknown beforehand whether they will.
        written = Usage(prompt_tokens=prompt, cache_write_tokens=prompt, completion_tokens=longest)
        return self._pricing(written)
