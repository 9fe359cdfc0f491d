"""Bodies of requests: read after the caller's rights are known, never more than a few kilobytes, and only JSON.

FastAPI would read a body that a route declares before it looks at the route's dependencies, whoever sent it and
however long it is. So routes declare a dependency that reads it, which comes after those of their router.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

T = TypeVar("T", bound=BaseModel)
_MOST_BYTES = 16 << 10
_LIMIT_S = 10.0


def body_of(model: type[T]) -> Callable[[Request], Awaitable[T]]:
    """A dependency that reads the body as this.

    Raises:
        HTTPException: 413, 408 for a body that does not come, or 422 for what is no JSON.
        RequestValidationError: it does not fit.
    """

    async def read(request: Request) -> T:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(422, "Send JSON, as application/json")
        try:
            return model.model_validate_json(await _bounded(request))
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None

    return read


def described(model: type[BaseModel]) -> dict[str, Any]:
    """The same for the API's description."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def _bounded(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 19) or int(length) > _MOST_BYTES:
        raise _too_large()
    data = bytearray()
    try:
        async with asyncio.timeout(_LIMIT_S):
            async for part in request.stream():
                data += part
                if len(data) > _MOST_BYTES:
                    raise _too_large()
    except (ClientDisconnect, TimeoutError):  # shorter than it says, or slower than a body of that size is
        raise HTTPException(408, "The body did not come in time", headers={"Connection": "close"}) from None
    return bytes(data)


def _too_large() -> HTTPException:
    return HTTPException(413, f"A body has at most {_MOST_BYTES} bytes", headers={"Connection": "close"})
