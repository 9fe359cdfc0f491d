"""Shared by the batch clients: a batch's state, and readers of what an endpoint says about it in any types.

An answer of another form is one `EndpointError`; an odd entry in a list is passed over.
"""

import re
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any, cast

from gem_tasks.domain.base import Json, Value
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.bounds import MAX_JSON_BYTES
from gem_tasks.llm.responses.completions import UNREADABLE, name
from gem_tasks.replies import let_go

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_MOST_LINES = 1_000_000
_MOST_REQUESTS = 10**9
_NO_SUCH_API = frozenset({404, 405, 501})
_REFUSES = frozenset({400, 413, 422})
_ID = re.compile(r"(?:[A-Za-z0-9_.:=~+@-]{1,256}/)?(?!\.{1,2}\Z)[A-Za-z0-9_.:=~+@-]{1,256}")
"""It becomes part of URLs that GEM requests with the key, and deletes. Gemini's have a slash."""


class BatchState(Value):
    """State of a batch."""

    batch_id: str
    status: str
    """In the API's words: `validating`, `in_progress`, …"""
    total: int = 0
    completed: int = 0
    failed: int = 0
    files: tuple[str, ...] = ()
    """Ids of the output file and the error file, if they exist."""
    input_file: str
    code: str = ""
    """Code of the first error, if the batch as a whole failed."""
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether the batch has reached its final state."""
        return self.status in ENDED


def identifier(value: Any) -> str:
    """The id of a batch or a file.

    Raises:
        ValueError: it is none, or leads to another path of the endpoint.
    """
    if not isinstance(value, str) or not _ID.fullmatch(value) or value.startswith(("./", "../")):
        raise ValueError("an id that is none")
    return value


def fields(found: Any) -> Json:
    """The object that an answer is.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return cast("Json", found)


def within(found: Json, field: str) -> Json:
    """An object in an object; empty if it is something else."""
    inner = found.get(field)
    return cast("Json", inner) if isinstance(inner, dict) else {}


def entries(found: Json, field: str) -> Iterator[Json]:
    """The objects in a list of an object."""
    inner = found.get(field)
    listed = cast("list[Any]", inner) if isinstance(inner, list) else []
    return (cast("Json", each) for each in listed if isinstance(each, dict))


def counted(value: Any) -> int:
    """A number of requests; zero for what is none."""
    return value if isinstance(value, int) and 0 <= value <= _MOST_REQUESTS else 0


def status_of(value: Any) -> str:
    """A status.

    Raises:
        ValueError: there is none.
    """
    if not (status := name(value)):
        raise ValueError("no status")
    return status


@contextmanager
def translated_errors(base_url: str, sure: bool = True) -> Generator[None]:
    """Translates the SDK's errors, and those of reading an odd answer, into GEM's.

    Args:
        base_url: shown in the message.
        sure: False for the first steps, which may reveal that there is no Batch API, or none for these requests.
    """
    import openai

    from gem_tasks.llm.http.sdk import from_sdk

    try:
        yield
    except openai.OpenAIError as error:
        let_go(error)
        if isinstance(error, openai.APIStatusError) and not sure and error.status_code in _NO_SUCH_API:
            raise UserError(
                f"{base_url} has no Batch API ({error.status_code} for {error.request.url.path})",
                "Set GEM_LLM_MODE (or that of the stage) to `online`, or choose an endpoint that has one.",
            ) from None
        if isinstance(error, openai.APIStatusError) and not sure and error.status_code in _REFUSES:
            raise UserError(
                f"{base_url} refuses the batch: {from_sdk(error).detail}",
                "Fix the reported problem, then rerun.",
            ) from None
        raise from_sdk(error) from None  # its text may contain the key
    except UNREADABLE as error:
        let_go(error)
        raise EndpointError(
            ErrorClass.SERVER_ERROR, f"unusable answer about a batch ({type(error).__name__})"
        ) from None


async def result_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yields lines; of an overlong one only enough to recognise it. The SDK's own splitting breaks at U+2028 and
    similar characters, which JSON may contain.

    Raises:
        EndpointError: there are far more lines than a batch has requests.
    """
    line, count = bytearray(), 0
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        count += len(ended)
        if count > _MOST_LINES:
            raise EndpointError(ErrorClass.SERVER_ERROR, f"results of more than {_MOST_LINES} lines")
        for piece in ended:
            yield bytes(line + piece)
            line.clear()
        line += rest[: MAX_JSON_BYTES + 1 - len(line)]
    yield bytes(line)
