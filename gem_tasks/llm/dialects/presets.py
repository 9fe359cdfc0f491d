"""Dialects that are known in advance: first the user's, then GEM's (`presets.toml`)."""

import re
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from gem_tasks.errors import UserError, first_line
from gem_tasks.llm.dialects.dialect import PLAIN, Dialect

_OURS = Path(__file__).with_name("presets.toml")


class Preset(Dialect):
    """A dialect with the host and model that it applies to."""

    host: str = ""
    """End of the host's name; empty for any."""
    model: str = ""
    """A regular expression searched for in the model's name; empty for any."""

    def fits(self, base_url: str, model: str) -> bool:
        """Whether it applies to this model at this endpoint."""
        parts = urlsplit(base_url)
        names = (parts.hostname or "", parts.netloc.rpartition("@")[2].lower())
        here = not self.host or any(name == self.host or name.endswith(f".{self.host}") for name in names)
        return here and re.search(self.model, model) is not None


def preset_for(base_url: str, model: str, own: Path | None = None) -> Dialect:
    """The known dialect of the model at this endpoint; the default if none is known.

    Args:
        base_url: base URL of the endpoint.
        model: name in requests.
        own: the user's file.

    Raises:
        UserError: the file cannot be read.
    """
    for path in (own, _OURS):
        for preset in _presets(path) if path else ():
            if preset.fits(base_url, model):
                return Dialect(**preset.model_dump(exclude={"host", "model"}))
    return PLAIN


@cache
def _presets(path: Path) -> tuple[Preset, ...]:
    try:
        with path.open("rb") as file:
            found = tuple(map(Preset.model_validate, tomllib.load(file).get("preset", ())))
        for preset in found:
            re.compile(preset.model)
    except OSError as error:
        raise UserError(f"GEM_LLM_DIALECTS: {path} cannot be read ({error.strerror})", "Correct the path.") from None
    except (ValueError, TypeError, ValidationError, re.error) as error:
        form = "Use the format of gem_tasks/llm/dialects/presets.toml: [[preset]], host, model, and what differs."
        raise UserError(f"GEM_LLM_DIALECTS: {path} has no valid presets ({first_line(error)})", form) from None
    return found
