"""Reads request bodies after the caller's permissions were checked: JSON up to 16 KiB, and forms up to 8 MiB.

If a route declares a body, FastAPI reads it before it evaluates the route's dependencies, from any sender and of any
length. So routes declare a dependency that reads the body; it runs after those of their router.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

T = TypeVar("T", bound=BaseModel)
_MOST_BYTES = 16 << 10
_LIMIT_S = 10.0
_MOST_FORM_BYTES = 8 << 20
_MOST_FIELDS = 10_000
_FORM_LIMIT_S = 60.0


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


async def form_body(request: Request) -> dict[str, str]:
    """A dependency that reads the body as the fields of an HTML form; of a field given twice, the last.

    Raises:
        HTTPException: as `body_of`, or 422 for too many fields, or text that is not UTF-8.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(422, "Send a form")
    data = await _bounded(request, _MOST_FORM_BYTES, _FORM_LIMIT_S)
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise HTTPException(422, "The form cannot be read") from None
    return dict(pairs)


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Describes the body for OpenAPI."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def _bounded(request: Request, most: int = _MOST_BYTES, limit_s: float = _LIMIT_S) -> bytes:
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 19) or int(length) > most:
        raise _too_large(most)
    data = bytearray()
    try:
        async with asyncio.timeout(limit_s):
            async for part in request.stream():
                data += part
                if len(data) > most:
                    raise _too_large(most)
    except (ClientDisconnect, TimeoutError):  # shorter than its Content-Length, or too slow
        raise HTTPException(408, "The body did not arrive in time", headers={"Connection": "close"}) from None
    return bytes(data)


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"The body exceeds {most} bytes", headers={"Connection": "close"})
