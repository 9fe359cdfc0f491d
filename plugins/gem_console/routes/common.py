"""Shared by the routers: the reader, and the parameters of filtered pages."""

import re
from typing import Annotated

from fastapi import Depends, HTTPException, Query, Request

from gem_console.reading import Reader
from gem_tasks.console.span import Filters, Range

_NUMBER = re.compile(r"-?[0-9]{1,9}")


def reader_of(request: Request) -> Reader:
    """Returns the reader of this process."""
    return request.app.state.reader


async def filters_of(
    range_: Annotated[Range, Query(alias="range", description="Time range.")] = "30d",
    source: Annotated[str, Query(description="Number of a source; empty: all.")] = "",
    chain: Annotated[
        str, Query(description="Recipe of the last stage of a chain; empty: the most recently used.")
    ] = "",
) -> Filters:
    """Range, source and chain; forms send an empty text for what the user did not choose."""
    return Filters(range=range_, source_id=number(source), chain=chain or None)


def number(text: str) -> int | None:
    """A number as a form sends it; None if empty. `str.isdigit` would also accept `²`.

    Raises:
        HTTPException: 422 for anything but up to nine digits.
    """
    if not text.strip():
        return None
    if not _NUMBER.fullmatch(text.strip()):
        raise HTTPException(422, "Expected a number of up to nine digits")
    return int(text)


ReaderDep = Annotated[Reader, Depends(reader_of)]
FiltersDep = Annotated[Filters, Depends(filters_of)]


def given(text: str | None) -> str | None:
    """The text without surrounding spaces; None if empty."""
    return text.strip() or None if text else None
