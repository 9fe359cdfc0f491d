"""The files of a batch: requests as lines of JSON within the API's limits, and the results of each.

platform.openai.com/docs/guides/batch
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from gem_tasks.domain.chat import Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.bounds import bounded_json
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.completions import UNREADABLE, completion

URL = "/v1/chat/completions"
MAX_REQUESTS = 50_000
"""Most requests per batch; see the guide's section "Rate limits"."""
MAX_BYTES = 200_000_000
"""Largest input file in bytes; same section."""


class Part(NamedTuple):
    """An input file within the limits."""

    path: Path
    custom_ids: list[str]


class Line(NamedTuple):
    """Result of one request."""

    custom_id: str
    result: Completion | EndpointError | None
    """None: the batch was cancelled before the request was executed."""


def line(custom_id: str, body: bytes) -> bytes:
    """A line of an input file.

    Args:
        custom_id: returned with the answer.
        body: body of a chat completion request.
    """
    return b'{"custom_id":%b,"method":"POST","url":"%b","body":%b}\n' % (
        json.dumps(custom_id).encode(), URL.encode(), body
    )  # fmt: skip


def split(
    lines: Iterable[tuple[str, bytes]], folder: Path, max_requests: int = MAX_REQUESTS, max_bytes: int = MAX_BYTES
) -> Iterator[Part]:
    """Writes `(custom_id, line)` pairs to files in the folder; yields each file as soon as it is full."""
    waiting = iter(lines)
    first = next(waiting, None)
    number = 0
    while first is not None:
        part, size = Part(folder / f"part-{number:04d}.jsonl", []), 0
        with part.path.open("wb") as file:
            while first is not None and len(part.custom_ids) < max_requests:
                custom_id, text = first
                if part.custom_ids and size + len(text) > max_bytes:
                    break
                file.write(text)
                part.custom_ids.append(custom_id)
                size += len(text)
                first = next(waiting, None)
        yield part
        number += 1


def read_line(text: bytes) -> Line | None:
    """A line of an output or error file; None if it is not valid."""
    try:
        data = json.loads(bounded_json(text))
        custom_id = data["custom_id"]
        return Line(custom_id, _result(data)) if isinstance(custom_id, str) else None
    except UNREADABLE:
        return None


def _result(data: Any) -> Completion | EndpointError | None:
    response = cast("dict[str, Any]", data.get("response") or {})
    error = cast("dict[str, Any]", data.get("error") or {})
    if error.get("code") == "batch_cancelled":
        return None
    if error.get("code") == "batch_expired":
        return EndpointError(ErrorClass.TIMEOUT, "the batch expired before the request was executed")
    if error or response.get("status_code") != 200:
        body: Any = response.get("body") or {"error": error}
        return from_status(int(response.get("status_code") or 500), {}, json.dumps(body))
    return read_result(lambda: response["body"])


def read_result(parse: Callable[[], Any]) -> Completion | EndpointError:
    """The completion that a request brought, or its error.

    Args:
        parse: returns a chat completion object.
    """
    try:
        return completion(parse())
    except EndpointError as error:
        return error
    except UNREADABLE as problem:
        return EndpointError(ErrorClass.SERVER_ERROR, f"unusable answer ({type(problem).__name__})")


async def joined(path: Path, begin: bytes, end: bytes) -> AsyncIterator[bytes]:
    """Streams the lines of a file as a JSON array between two texts; it is never in memory as a whole."""
    yield begin
    with path.open("rb") as file:
        for number, text in enumerate(file):
            yield (b"," if number else b"") + text.rstrip(b"\n")
    yield end


def joined_size(path: Path, begin: bytes, end: bytes) -> int:
    """Size in bytes of `joined`: every line break but the last becomes a comma."""
    return len(begin) + path.stat().st_size - 1 + len(end)
