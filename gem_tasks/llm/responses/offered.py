"""Reads the list of models that an endpoint offers."""

from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.responses.completions import UNREADABLE, name, parsed
from gem_tasks.redaction import beginning

_MOST = 10_000
"""Routers list some hundreds."""


def read_models(body: bytes) -> list[str]:
    """Names of the models in the body of a 200 reply; skips entries without a name.

    Raises:
        EndpointError: it is not a list of models.
    """
    try:
        found: Any = parsed(body)
        rows = cast("list[Any]", found["data"] if isinstance(found, dict) else found)
        names = [name(cast("Json", row).get("id")) for row in rows[:_MOST] if isinstance(row, dict)]
    except UNREADABLE as error:
        start = beginning(body[:20_000].decode("utf-8", "replace"), 100)
        detail = f"unusable list of models ({type(error).__name__}): {start!r}"
        raise EndpointError(ErrorClass.SERVER_ERROR, detail) from error
    return [each for each in names if each]
