"""The base of all values: frozen, strict about unknown fields."""

from typing import Any

from pydantic import BaseModel, ConfigDict

Json = dict[str, Any]


class Value(BaseModel):
    """An immutable value. Unknown fields are errors, so that a typo cannot pass as data."""

    model_config = ConfigDict(frozen=True, extra="forbid")
