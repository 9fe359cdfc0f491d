"""Published trajectories as files that annotation tools import: Argilla and Label Studio.

| format | files | how the tool reads them |
|---|---|---|
| argilla | `records.json`, `.argilla/settings.json`, `.argilla/dataset.json` | `rg.Dataset.from_disk(FOLDER)` |
| label-studio | `tasks.json`, `labeling.xml` | import of tasks, and the project's labeling interface |

Both ask the same questions. The whole conversation is also a text that annotators may correct, in the form of
`gem edit`. Source texts stay out: they hold the personal data that is replaced in the conversation.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from gem_tasks.dataset.export import published
from gem_tasks.domain.audit import QUALITIES
from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message
from gem_tasks.edits.form import as_form
from gem_tasks.edits.reading import messages_of
from gem_tasks.edits.subject import revision_of
from gem_tasks.errors import UserError
from gem_tasks.files import replacing
from gem_tasks.pipeline.workspace import Workspace

KEEP, VETO = "keep", "veto"
_TEXTS = {
    "reason": "Why veto it, or why was it corrected?",
    "corrected": "The conversation: correct what is wrong",
    "comment": "Comment, for other readers",
}
_VERDICT = "Should models learn from this conversation?"
_GUIDE = (
    "Read the conversation, then decide whether models should learn from it. You may correct it: change the text in the"
    " last field, and keep its form (YAML; every message, call and id)."
)


class Task(NamedTuple):
    """One trajectory for annotators."""

    trajectory_id: str
    revision: str
    messages: tuple[Message, ...]
    tools: list[Json]
    about: Json


def write_argilla(work: Workspace, out: Path, partition: str | None) -> tuple[Path, int]:
    """Writes the folder and returns it with the number of records.

    Raises:
        UserError: nothing is published, or the folder cannot be written.
    """
    sides = {".argilla/settings.json": _settings(), ".argilla/dataset.json": {"name": "gem-trajectories"}}
    texts = {name: json.dumps(data, ensure_ascii=False, indent=1) for name, data in sides.items()}
    return out, _write(work, out, partition, "records.json", _record, texts)


def write_label_studio(work: Workspace, out: Path, partition: str | None) -> tuple[Path, int]:
    """Like `write_argilla`, for Label Studio."""
    return out, _write(work, out, partition, "tasks.json", _task, {"labeling.xml": LABELING})


FOR_TOOLS: dict[str, Callable[[Workspace, Path, str | None], tuple[Path, int]]] = {
    "argilla": write_argilla,
    "label-studio": write_label_studio,
}
"""Export formats of this module."""


def _write(
    work: Workspace, out: Path, partition: str | None, name: str, form: Callable[[Task], Json], sides: dict[str, str]
) -> int:
    count = 0
    try:
        for side, text in sides.items():
            (out / side).parent.mkdir(parents=True, exist_ok=True)
            (out / side).write_text(text, encoding="utf-8")
        with replacing(out / name) as part:
            with part.open("w", encoding="utf-8") as file:
                for task in _tasks(published(work, partition)):
                    file.write(("[" if not count else ",") + "\n" + json.dumps(form(task), ensure_ascii=False))
                    count += 1
                file.write("\n]\n")
            if not count:
                where = f" in partition {partition}" if partition else ""
                raise UserError(f"There are no published trajectories{where}", "Make some with `gem run SOURCE`.")
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}", "Choose another --out.") from error
    return count


def _tasks(rows: Iterable[Json]) -> Iterator[Task]:
    for row in rows:
        messages, about = messages_of(row["messages"]), row["metadata"]
        yield Task(about["trajectory_id"], revision_of(messages), messages, row["tools"], about)


def said(message: Message) -> str:
    """A message as text, with its calls."""
    calls = [f"→ {call.name} {json.dumps(call.arguments, ensure_ascii=False)}" for call in message.tool_calls]
    return "\n".join([*([message.content] if message.content else []), *calls])


def _tools(task: Task) -> str:
    parts = (tool["function"] for tool in task.tools)
    return "\n".join(f"{each['name']}: {each['description']}" for each in parts)


def _record(task: Task) -> Json:
    """A record of Argilla: `argilla.Record.from_dict` reads it."""
    return {
        "id": task.trajectory_id,
        "fields": {
            "conversation": [{"role": message.role, "content": said(message)} for message in task.messages],
            "available_tools": _tools(task) or "none",
        },
        "metadata": {
            "trajectory_id": task.trajectory_id,
            "revision": task.revision,
            "document": str(task.about["document_uri"]),
        },
        "suggestions": {"corrected": {"value": as_form(task.messages), "agent": "gem"}},
        "responses": {},
        "vectors": {},
    }


def _settings() -> Json:
    """Argilla's settings: `argilla.Settings.from_json` reads them."""
    text = {"type": "text", "use_markdown": False}
    labels = [{"value": value, "text": value} for value in (KEEP, VETO)]
    verdict = {"type": "label_selection", "options": labels, "visible_options": None}
    scores = {"type": "rating", "options": [{"value": score} for score in range(1, 6)]}
    ratings = [_question(name, title, scores) for name, title in QUALITIES.items()]
    texts = [_question(name, title, text) for name, title in _TEXTS.items()]
    return {
        "guidelines": _GUIDE,
        "fields": [
            {"name": "conversation", "title": "Conversation", "required": True,
             "settings": {"type": "chat", "use_markdown": False}},
            {"name": "available_tools", "title": "Tools", "required": True, "settings": text},
        ],
        "questions": [{**_question("verdict", _VERDICT, verdict), "required": True}, *ratings, *texts],
        "metadata": [
            {"name": name, "title": name, "settings": {"type": "terms"}, "visible_for_annotators": True}
            for name in ("trajectory_id", "revision", "document")
        ],
        "vectors": [],
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }  # fmt: skip


def _question(name: str, title: str, settings: Json) -> Json:
    return {"name": name, "title": title, "required": False, "settings": settings}


def _task(task: Task) -> Json:
    """A task of Label Studio with its prediction."""
    form = as_form(task.messages)
    corrected = {"from_name": "corrected", "to_name": "conversation", "type": "textarea", "value": {"text": [form]}}
    return {
        "data": {
            "trajectory_id": task.trajectory_id,
            "revision": task.revision,
            "document": str(task.about["document_uri"]),
            "available_tools": _tools(task) or "none",
            "conversation": [{"author": message.role, "text": said(message)} for message in task.messages],
        },
        "predictions": [{"model_version": "gem", "result": [corrected]}],
    }


def _labeling() -> str:
    """Label Studio's configuration of the labeling interface."""
    to = 'toName="conversation"'
    ratings = "".join(
        f'  <Header value={quoteattr(title)}/>\n  <Rating name="{name}" {to} maxRating="5"/>\n'
        for name, title in QUALITIES.items()
    )
    texts = "".join(
        f'  <Header value={quoteattr(title)}/>\n  <TextArea name="{name}" {to} editable="true" rows="{rows}"'
        f' maxSubmissions="1"/>\n'
        for (name, title), rows in zip(_TEXTS.items(), (2, 30, 2), strict=True)
    )
    return (
        f"<View>\n  <Header value={quoteattr(_GUIDE)}/>\n"
        '  <Paragraphs name="conversation" value="$conversation" layout="dialogue" nameKey="author" textKey="text"/>\n'
        f'  <Text name="available_tools" value="$available_tools"/>\n  <Header value={quoteattr(_VERDICT)}/>\n'
        f'  <Choices name="verdict" {to} choice="single" required="true">\n'
        f'    <Choice value="{KEEP}"/>\n    <Choice value="{VETO}"/>\n  </Choices>\n{ratings}{texts}</View>\n'
    )


LABELING = _labeling()
