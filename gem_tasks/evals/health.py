"""Is there anybody? Harnesses score an endpoint that is down 0 % without a word, so it is asked before they are."""

import asyncio

from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.client import OpenAIClient

_LIMIT_S = 30.0
_KEY = frozenset({ErrorClass.AUTH, ErrorClass.FORBIDDEN, ErrorClass.NO_CREDIT})
_NOBODY = _KEY | {ErrorClass.CONNECTION, ErrorClass.TIMEOUT, ErrorClass.SERVER_ERROR}


def require_healthy(endpoint: Endpoint) -> None:
    """Asks for the list of models; an endpoint that has none is taken at its word.

    Raises:
        UserError: it does not answer, refuses the key, or does not offer the model.
    """
    try:
        offered = asyncio.run(asyncio.wait_for(_models(endpoint), _LIMIT_S))
    except TimeoutError:
        raise UserError(f"{endpoint.base_url} did not answer within {_LIMIT_S:.0f} s", "Is it up?") from None
    except EndpointError as error:
        if error.error_class not in _NOBODY:
            return
        mend = "Check the key." if error.error_class in _KEY else "Is it up, and does the URL end in /v1?"
        raise UserError(f"{endpoint.base_url} cannot be used: {error}", mend) from error
    if offered and endpoint.model not in {name.removeprefix("models/") for name in offered}:
        names = ", ".join(sorted(offered)[:5])
        raise UserError(f"{endpoint.base_url} does not offer {endpoint.model!r}", f"It offers: {names}.")


async def _models(endpoint: Endpoint) -> list[str]:
    client = OpenAIClient(endpoint.base_url, endpoint.key, concurrency=1, timeout_s=_LIMIT_S, max_attempts=1)
    async with client:
        return await client.models()
