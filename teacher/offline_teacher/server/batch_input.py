"""A batch's input file: read line by line, checked as a whole before anything is answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ENDPOINT = "/v1/chat/completions"
_MAX_REQUESTS = 50_000
_MAX_ERRORS = 20


class Line(NamedTuple):
    """One request."""

    custom_id: str
    body: Any


def lines(path: Path) -> Iterator[Line]:
    """The requests of a file that `faults_of` found fit."""
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.strip():
                data = json.loads(text)
                yield Line(data["custom_id"], data["body"])


def faults_of(path: Path) -> tuple[int, list[dict[str, Any]]]:
    """How many requests there are, and what is wrong, as `batch.errors.data` says it."""
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    models: set[str] = set()
    number = 0
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, start=1):
            if len(found) < _MAX_ERRORS and (fault := _fault(text, seen, models)):
                found.append({"code": fault[0], "message": fault[1], "line": number, "param": None})
    if not number:
        found.append({"code": "empty_file", "message": "The file holds no requests", "line": None, "param": None})
    if number > _MAX_REQUESTS:
        message = f"A batch has at most {_MAX_REQUESTS} requests"
        found.append({"code": "too_many_tasks", "message": message, "line": None, "param": None})
    return number, found


def _fault(text: str, seen: set[str], models: set[str]) -> tuple[str, str] | None:
    try:
        data = json.loads(text)
        custom_id, model = data["custom_id"], data["body"]["model"]
        shape = (data["method"], data["url"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "invalid_json_line", "This line is not a request with custom_id, method, url and body"
    if shape != ("POST", ENDPOINT):
        return "invalid_url", f"This line is not a POST to {ENDPOINT}"
    if not isinstance(custom_id, str) or custom_id in seen:
        return "duplicate_custom_id", "The custom_id of this line is no string, or occurs before"
    seen.add(custom_id)
    models.add(str(model))
    if len(models) > 1:
        return "mismatched_model", "All requests of a batch have the same model"
    return None
