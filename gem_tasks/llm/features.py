"""What an endpoint can do, found out once and remembered in a file, because not even its documentation always knows."""

import json
import time
from pathlib import Path
from typing import Any, cast

from gem_tasks.files import replacing

_FORGET_S = 24 * 3600.0
"""Servers are upgraded: what could not be done yesterday is tried again."""


class Features:
    """Remembers whether a model behind an endpoint takes `response_format` with a JSON schema.

    Args:
        path: a JSON file; None remembers nothing beyond this process.
        base_url: of the endpoint.
    """

    def __init__(self, path: Path | None, base_url: str) -> None:
        self._path, self._base_url = path, base_url
        self._json_schema: dict[str, bool] = {}

    def json_schema(self, model: str) -> bool | None:
        """None while nobody knows."""
        if model not in self._json_schema:
            entry = self._read().get(f"{self._base_url} {model}")
            if entry and time.time() - entry["at"] < _FORGET_S:
                self._json_schema[model] = entry["json_schema"]
        return self._json_schema.get(model)

    def learned(self, model: str, json_schema: bool) -> None:
        """Writes it down. Two writers at once cost one of them its line, which is then learned again."""
        self._json_schema[model] = json_schema
        if self._path is None:
            return
        entry = {"json_schema": json_schema, "at": int(time.time())}
        known = self._read() | {f"{self._base_url} {model}": entry}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self._path) as part:
            part.write_text(json.dumps(known, indent=1), encoding="utf-8")

    def _read(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            found: Any = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
