"""What the routers share: the reader, and the parameters of filtered pages."""

from typing import Annotated

from fastapi import Depends, Query, Request

from gem_console.reading import Reader
from gem_tasks.console.span import Filters, Range


def reader_of(request: Request) -> Reader:
    """The process's reader."""
    return request.app.state.reader


async def filters_of(
    range_: Annotated[Range, Query(alias="range", description="How far back.")] = "30d",
    source: Annotated[str, Query(description="Number of a source; empty for all.")] = "",
    chain: Annotated[str, Query(description="Recipe of a chain's last stage; empty for the last at work.")] = "",
) -> Filters:
    """Range, source and chain; forms send what is not chosen as nothing."""
    return Filters(range=range_, source_id=int(source) if source.isdigit() else None, chain=chain or None)


ReaderDep = Annotated[Reader, Depends(reader_of)]
FiltersDep = Annotated[Filters, Depends(filters_of)]


def given(text: str | None) -> str | None:
    """None for nothing."""
    return text.strip() or None if text else None
