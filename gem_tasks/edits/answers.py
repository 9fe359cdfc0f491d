"""Reads what annotators answered: files that Argilla and Label Studio export. Nothing in them is trusted.

| tool | file |
|---|---|
| Argilla | `records.json` of `Dataset.to_disk`, or of `dataset.records.to_json`; also rows of `to_list(flatten=True)` |
| Label Studio | the export named JSON: tasks with `annotations` |

A tool's discarded record is a veto in Argilla, where discarding says that it is not fit. Skipping a task in Label
Studio says only that the annotator did not do it. Argilla writes the status of a response only into flattened rows; in
others, only the status of the whole record tells whether anyone submitted.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import Field

from gem_tasks.corpus.text.harmless import harmless
from gem_tasks.domain.audit import QUALITIES
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.change import AUTHOR_LENGTH, Origin
from gem_tasks.edits.tools import KEEP, VETO
from gem_tasks.errors import UserError

MOST_BYTES = 1 << 30
DISCARDED = "discarded in Argilla"
_QUESTIONS = ("verdict", "reason", "corrected", "comment", *QUALITIES)
_FIX = "Export it again: `to_disk` in Argilla, or JSON (not JSON-MIN) in Label Studio."


class Answer(Value):
    """One annotator's answers about one trajectory, or why they cannot be read."""

    row: str
    """Where it is in the file, such as `record 3`."""
    origin: Origin
    trajectory_id: str = ""
    revision: str = ""
    author: str = ""
    veto: bool = False
    reason: str = ""
    corrected: str = ""
    comment: str = ""
    scores: dict[str, int] = Field(default_factory=dict)
    problem: str = ""
    """Why the row is left out; empty if it can be read."""


def read_answers(path: Path) -> Iterator[Answer]:
    """The answers in a file, or in a folder of Argilla, in order.

    Raises:
        UserError: the file is neither.
    """
    file = path / "records.json" if path.is_dir() else path
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UserError(f"{file} has more than {MOST_BYTES >> 20} MiB", "Export parts of the dataset.")
        data = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or str(error)[:150] or type(error).__name__
        raise UserError(f"{file} cannot be read: {why}", _FIX) from None
    if not isinstance(data, list):
        raise UserError(f"{file} is not a list of records or tasks", _FIX)
    for number, row in enumerate(cast("list[Any]", data), 1):
        yield from _row(number, row)


def _row(number: int, row: Any) -> Iterator[Answer]:
    if not isinstance(row, dict):
        yield Answer(row=f"row {number}", origin="argilla", problem="it is not an object")
    elif "annotations" in row or "data" in row:
        yield from _label_studio(f"task {number}", cast(Json, row))
    else:
        yield from _argilla(f"record {number}", cast(Json, row))


def _argilla(place: str, row: Json) -> Iterator[Answer]:
    named = _object(row.get("metadata")) or row  # flattened rows have their metadata beside the answers
    about: Json = {
        "row": place,
        "origin": "argilla",
        "trajectory_id": _text(named.get("trajectory_id") or row.get("id")),
        "revision": _text(named.get("revision")),
    }
    by_user: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    states: dict[str, str] = {}
    for question in _QUESTIONS:
        for user, value, state in _responses(row, question):
            by_user[user].setdefault(question, value)
            states[user] = state or states.get(user, "")
    if not by_user:
        yield Answer(**about, problem="it has no answer")
    unsure = row.get("status") == "pending"
    for user, values in by_user.items():
        if states[user] == "draft" or (unsure and not states[user]):
            yield Answer(**about, author=_author(user), problem="the answer is a draft that was not submitted")
        elif states[user] == "discarded":
            reason = _text(values.get("reason")).strip() or DISCARDED
            said = {"veto": True, "reason": reason, "comment": _text(values.get("comment"))}
            yield Answer.model_validate({**about, "author": _author(user), **said})
        else:
            yield _answer({**about, "author": _author(user)}, values)


def _responses(row: Json, question: str) -> Iterator[tuple[str, Any, str]]:
    """`(user, value, status)` of a question, nested as `to_dict` writes them, or flattened into columns."""
    for each in _list(_object(row.get("responses")).get(question)):
        found = _object(each)
        yield _text(found.get("user_id")), found.get("value"), _text(found.get("status"))
    columns = [_list(row.get(f"{question}.responses{suffix}")) for suffix in ("", ".users", ".status")]
    for at, value in enumerate(columns[0]):
        user, state = (_text(column[at]) if at < len(column) else "" for column in columns[1:])
        yield user, value, state


def _label_studio(place: str, row: Json) -> Iterator[Answer]:
    data = _object(row.get("data"))
    about: Json = {
        "row": place,
        "origin": "label-studio",
        "trajectory_id": _text(data.get("trajectory_id")),
        "revision": _text(data.get("revision")),
    }
    annotations = [_object(each) for each in _list(row.get("annotations"))]
    if not annotations:
        yield Answer(**about, problem="it has no answer")
    for each in annotations:
        by = each.get("completed_by")
        user = _object(by).get("email") or _object(by).get("id") or by
        named: Json = {**about, "author": _author(_text(user))}
        if each.get("was_cancelled"):
            yield Answer(**named, problem="the annotator skipped it")
            continue
        values: dict[str, Any] = {}
        for result in map(_object, _list(each.get("result"))):
            values.setdefault(_text(result.get("from_name")), _chosen(_object(result.get("value"))))
        yield _answer(named, values)


def _chosen(value: Json) -> Any:
    """The value of a result: a choice, a rating, or texts, which Label Studio keeps as lists."""
    for key in ("choices", "text"):
        if key in value:
            found = value[key]
            return next(iter(_list(found)), "") if isinstance(found, list) else found
    return value.get("rating")


def _answer(about: Json, values: dict[str, Any]) -> Answer:
    verdict = _text(values.get("verdict"))
    wrong = {name: values[name] for name in QUALITIES if values.get(name) is not None and not _is_score(values[name])}
    scores = {name: values[name] for name in QUALITIES if _is_score(values.get(name))}
    texts = {name: _text(values.get(name)) for name in ("reason", "corrected", "comment")}
    if verdict not in (KEEP, VETO, ""):
        return Answer(**about, problem=f"{verdict[:40]!r} is not a verdict; expected {KEEP} or {VETO}")
    if wrong:
        return Answer(**about, problem=f"{next(iter(wrong))} is not a score from 1 to 5")
    if not verdict and not scores and not any(texts.values()):
        return Answer(**about, problem="the answer is empty")
    return Answer.model_validate({**about, "veto": verdict == VETO, "scores": scores, **texts})


def _is_score(value: Any) -> bool:
    return type(value) is int and 1 <= value <= 5


def _author(name: str) -> str:
    return " ".join(name.split())[:AUTHOR_LENGTH]


def _object(value: Any) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _text(value: Any) -> str:
    return harmless(value) if isinstance(value, str) else str(value) if type(value) is int else ""
