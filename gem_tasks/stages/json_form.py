"""Answers of filter and extract as one JSON object, for servers that can restrict a model to a schema.

The schema has a key for every tag. `tagged` converts such an object to tags, so the stage's own parser reads both. The
prompt, whether GEM's or the user's, does not change: a note below it says that the answer is JSON.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatMessage
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.prompts import Prompt, load
from gem_tasks.prompts.tags import TagError, neutral, parse_json, strip_thinking
from gem_tasks.stages import vocabulary
from gem_tasks.stages.base import Stage

_TEXT: Json = {"type": "string"}
_WORKFLOWS = 4
"""The maximum that the prompt requests."""


def _object(**properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list_of(item: Json, **more: int) -> Json:
    return {"type": "array", "items": item, **more}


def _one_of(words: frozenset[str]) -> Json:
    return {"type": "string", "enum": sorted(words)}


_QUALIFIES = _object(
    multi_step={"type": "boolean", "enum": [True]},
    summary=_TEXT,
    platform=_one_of(vocabulary.PLATFORMS),
    domain=_list_of(_one_of(vocabulary.DOMAINS)),
    task=_one_of(vocabulary.TASK_CATEGORIES),
)
_DOES_NOT = _object(multi_step={"type": "boolean", "enum": [False]}, reason=_one_of(vocabulary.REJECTIONS))
_WORKFLOW = _object(
    description=_TEXT,
    steps=_list_of(_TEXT),
    execution_graph=_list_of(_list_of(_TEXT)),
    actions=_list_of(_object(name=_TEXT, arguments={"type": "object"})),
    tools=_list_of(_object(name=_TEXT, description=_TEXT, parameters={"type": "object"})),
    requires=_list_of(_object(tool=_TEXT, after=_TEXT)),
)

FILTER: Json = _object(answer={"anyOf": [_QUALIFIES, _DOES_NOT]})
"""JSON schema of the filter's answer; wrapped, because a strict schema may not begin with a choice."""
EXTRACT: Json = _object(workflow=_list_of(_WORKFLOW, minItems=1, maxItems=_WORKFLOWS)) | {"additionalProperties": True}
"""JSON schema of the extraction's answer. Not strict in OpenAI's sense: arguments and parameters are free objects."""

_SCHEMAS = {"filter": FILTER, "extract": EXTRACT}


class InJson(Stage):
    """A stage that requests its answer as JSON; otherwise the same stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.name, self.version, self.sampling = stage.name, stage.version, stage.sampling
        self.needs, self.takes, self.output, self.asks_for = stage.needs, stage.takes, stage.output, stage.asks_for
        self.answer_schema = _SCHEMAS[stage.name]

    def precheck(self, record: Record) -> Rejected | None:
        """Returns the verdict of the wrapped stage."""
        return self._stage.precheck(record)

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Builds the wrapped stage's messages, with the note below the prompt."""
        return self._stage.request(record, _noted(prompt.name, prompt.text))

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Converts the answer to tags, and lets the wrapped stage read them."""
        try:
            return self._stage.parse(tagged(text), record)
        except TagError as error:
            return Malformed(complaint=str(error))


def has_json_form(name: str) -> bool:
    """Whether the stage of that name supports JSON; the judge always answers in JSON."""
    return name in _SCHEMAS


def note_of(name: str) -> Prompt:
    """The note below the prompt of a stage, which says that the answer is JSON."""
    return load(f"{name}.json")


@lru_cache(maxsize=8)
def _noted(name: str, text: str) -> Prompt:
    return Prompt(name=name, text=f"{text.rstrip()}\n\n{note_of(name).text}")


def tagged(text: str) -> str:
    """Returns the answer in tags; leaves an answer that already has tags unchanged, because a model may ignore the
    schema.

    Raises:
        TagError: it is neither; the message is for the model.
    """
    said = strip_thinking(text).strip()
    if not said.startswith(("{", "```")):
        return text
    found = parse_json(said, "the answer")
    if not isinstance(found, dict):
        raise TagError("the answer must be one JSON object")
    whole = cast("Json", found)
    inner = whole.get("answer", whole)
    return _tags(cast("Json", inner) if isinstance(inner, dict) else whole)


def _tags(fields: Json) -> str:
    return "\n".join(f"<{name}>{_WRITERS.get(name, _plain)(value)}</{name}>" for name, value in _pairs(fields))


def _pairs(fields: Json) -> list[tuple[str, Any]]:
    """Yields a separate block for every workflow."""
    found = [(name, value) for name, value in fields.items() if name != "workflow"]
    several = fields.get("workflow", [])
    blocks: list[Any] = cast("list[Any]", several) if isinstance(several, list) else [several]
    return found + [("workflow", block) for block in blocks]


def _plain(value: Any) -> str:
    """Makes tags inside words harmless; escapes them inside JSON, so that parsing restores them."""
    return neutral(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _workflow(value: Any) -> str:
    if not isinstance(value, dict):
        raise TagError('each entry of "workflow" must be an object')
    return f"\n{_tags(cast('Json', value))}\n"


def _joined(separator: str) -> Callable[[Any], str]:
    def joined(value: Any) -> str:
        parts = cast("list[Any]", value) if isinstance(value, list) else [value]
        return separator.join(" ".join(_plain(part).split()) for part in parts)

    return joined


def _graph(value: Any) -> str:
    """Writes nodes in order; a name alone is also a node."""
    if not isinstance(value, list):
        return _plain(value)
    nodes = (cast("list[Any]", node) if isinstance(node, list) else [node] for node in cast("list[Any]", value))
    return "->".join(f"({', '.join(map(_plain, node))})" for node in nodes)


_WRITERS: dict[str, Callable[[Any], str]] = {
    "domain": _joined(", "),
    "steps": _joined("\n"),
    "execution_graph": _graph,
    "workflow": _workflow,
}
