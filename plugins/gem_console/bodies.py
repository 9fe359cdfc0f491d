"""Reads request bodies after the caller's permissions were checked, up to 16 KiB, and only as JSON.

If a route declares a body, FastAPI reads it before it evaluates the route's dependencies, from any sender and of any
length. So routes declare a dependency that reads the body; it runs after those of their router.
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
    """Returns a dependency that reads the body as this model.

    Raises:
        HTTPException: 413 (too long), 408 (the body did not arrive in time), or 422 (another content type than JSON).
        RequestValidationError: the body does not match the model.
    """

    async def read(request: Request) -> T:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(422, "Send JSON with the content type application/json")
        try:
            return model.model_validate_json(await _bounded(request))
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None

    return read


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Describes the body for OpenAPI."""
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
    except (ClientDisconnect, TimeoutError):  # shorter than its Content-Length, or too slow for a body of up to 16 KiB
        raise HTTPException(408, "The body did not arrive in time", headers={"Connection": "close"}) from None
    return bytes(data)


def _too_large() -> HTTPException:
    return HTTPException(413, f"The body exceeds {_MOST_BYTES} bytes", headers={"Connection": "close"})
