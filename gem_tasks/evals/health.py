"""Checks that an endpoint answers before a harness runs: harnesses silently score an unavailable one 0 %."""

import asyncio

from gem_tasks.domain.chat import Sampling
from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.dialects.dialect import Dialect
from gem_tasks.llm.question import ATTEMPTS, LIMIT_S, ask, listed, question

_PATIENCE_S = 20.0
_NAMES = 5
_SHORT = 64
"""Tokens of an answer from a slow local server, which would write a thousand for minutes."""
_KEY = frozenset({ErrorClass.AUTH, ErrorClass.FORBIDDEN, ErrorClass.NO_CREDIT})
_DOWN = frozenset({ErrorClass.CONNECTION, ErrorClass.TIMEOUT, ErrorClass.SERVER_ERROR})
_UNUSABLE = _KEY | _DOWN | {ErrorClass.UNKNOWN_MODEL}
"""Any other error shows that a server answers and only rejects this question: harnesses ask differently."""


def require_healthy(endpoint: Endpoint, thinking: bool | None = None) -> Dialect:
    """Sends one small request; returns the dialect that the endpoint answered in.

    With `thinking` off, the answer also teaches how to turn it off.

    The endpoint's list of models is only a hint: Anthropic's needs another header, Azure's names no deployments.

    Raises:
        UserError: the endpoint is unavailable, refuses the key, or has no such model.
    """
    try:
        return asyncio.run(asyncio.wait_for(_ask(endpoint, thinking), LIMIT_S))
    except TimeoutError:
        raise UserError(
            f"{endpoint.base_url} did not answer within {LIMIT_S:.0f} s", "Check that it is running."
        ) from None


async def _ask(endpoint: Endpoint, thinking: bool | None) -> Dialect:
    sampling = Sampling(reasoning_effort="off" if thinking is False else None)
    if endpoint.one_at_a_time:
        sampling = sampling.model_copy(update={"max_tokens": _SHORT})
    client = OpenAIClient(
        endpoint.base_url, endpoint.key,
        concurrency=1, timeout_s=LIMIT_S, max_attempts=ATTEMPTS, patience_s=_PATIENCE_S,
        one_at_a_time=endpoint.one_at_a_time,
    )  # fmt: skip
    async with client:
        try:
            await ask(client, question(endpoint.model, sampling))
        except EndpointError as error:
            names = await listed(client)
            if error.error_class not in _UNUSABLE and (not names or endpoint.model in names):
                return client.dialect_of(endpoint.model)
            raise UserError(
                f"{endpoint.base_url} cannot be used with model {endpoint.model!r}: {' '.join(str(error).split())}",
                _fix(endpoint, error, names),
            ) from error
        return client.dialect_of(endpoint.model)


def _fix(endpoint: Endpoint, error: EndpointError, names: list[str]) -> str:
    if error.error_class in _KEY:
        return "Check the API key and its account."
    if error.error_class in _DOWN:
        return "Check that it is running, and that the URL ends in /v1."
    if names and endpoint.model not in names:
        return f"It lists: {', '.join(sorted(names)[:_NAMES])}."
    return "Check the name of the model, and that the URL ends in /v1."
