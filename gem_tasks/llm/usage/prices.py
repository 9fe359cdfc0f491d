"""Prices of a model's tokens.

The user's file comes first, then GEM's, then genai-prices, which has the models of public providers. There the endpoint
counts too: prices depend on it, and models on your own hardware have no public price.
"""

import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import Usage
from gem_tasks.errors import UserError, first_line

_OURS = Path(__file__).with_name("prices.toml")
_MILLION = 1_000_000
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
Pricing = Callable[[Usage], float]
"""Returns the USD for the tokens of a call."""


class Price(Value):
    """USD per million tokens."""

    input: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)
    """Same as `input` if not given."""
    cache_write: float | None = Field(default=None, ge=0)
    """For tokens that the endpoint puts into its cache; same as `input` if not given."""
    output: float = Field(ge=0)
    reasoning: float | None = Field(default=None, ge=0)
    """Same as `output` if not given."""

    def __call__(self, usage: Usage) -> float:
        """USD for the tokens of a call."""
        cached = self.input if self.cached_input is None else self.cached_input
        reasoning = self.output if self.reasoning is None else self.reasoning
        written = self.input if self.cache_write is None else self.cache_write
        return (
            (usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens) * self.input
            + usage.cached_tokens * cached
            + usage.cache_write_tokens * written
            + (usage.completion_tokens - usage.reasoning_tokens) * self.output
            + usage.reasoning_tokens * reasoning
        ) / _MILLION


def pricing(model: str, base_url: str, own: Path | None = None) -> Pricing | None:
    """Prices of a model's calls; None if unknown.

    Args:
        model: name in requests.
        base_url: base URL of the endpoint.
        own: the user's file.

    Raises:
        UserError: the file cannot be read.
    """
    for path in (own, _OURS):
        if path and (price := _table(path).get(model)):
            return price
    return None if urlsplit(base_url).hostname in _LOCAL else _public(model, base_url)


def _table(path: Path) -> dict[str, Price]:
    try:
        with path.open("rb") as file:
            return {model: Price.model_validate(fields) for model, fields in tomllib.load(file).items()}
    except OSError as error:
        raise UserError(f"GEM_LLM_PRICES: {path} cannot be read ({error.strerror})", "Correct the path.") from None
    except (ValueError, ValidationError) as error:
        line = first_line(error)
        form = 'Write ["model"], then input = … and output = … in USD per million tokens.'
        raise UserError(f"GEM_LLM_PRICES: {path} is not a valid price table ({line})", form) from None


def _public(model: str, base_url: str) -> Pricing | None:
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    def price(usage: Usage) -> float:
        tokens: Any = Tokens(
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.completion_tokens,
        )
        total: Decimal = calc_price(tokens, model, provider_api_url=base_url).total_price
        return float(total)

    try:
        price(Usage(prompt_tokens=1, completion_tokens=1))
    except LookupError:
        return None
    return price
