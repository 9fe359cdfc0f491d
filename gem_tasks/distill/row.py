"""One row of a set: a conversation to learn, as flat columns, frozen under `SET_VERSION`.

The form is that of the Chat Completions API for every kind of model: `messages` and `tools` as JSON strings. A
synthesizer's row is a conversation of three messages without tools.
"""

import json

import pyarrow as pa

from gem_tasks.dataset.privacy import scrub
from gem_tasks.domain.base import Json
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.distill import Candidate, Kind
from gem_tasks.domain.trajectory import Message, Trajectory
from gem_tasks.prompts import synthesis

SET_VERSION = 2

SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in ("trajectory_id", "segment_id", "document_uri", "stratum", "messages", "tools", "text")
    ]
)


def clean(trajectory: Trajectory, segment: Segment) -> tuple[Trajectory, str]:
    """Trajectory and text without the personal data of the source, replaced alike in both."""
    text = Message(role="user", content=segment.text)
    together = trajectory.model_copy(update={"messages": (text, *trajectory.messages)})
    scrubbed = scrub(together, segment.text, segment.language).trajectory
    first, *messages = scrubbed.messages
    return scrubbed.model_copy(update={"messages": tuple(messages)}), first.content or ""


def row_of(candidate: Candidate, kind: Kind, trajectory: Trajectory, text: str) -> dict[str, str]:
    """The values of a row by column of `SCHEMA`."""
    messages, tools = (_pair if kind == "synthesizer" else _conversation)(trajectory, text)
    return {
        "trajectory_id": candidate.trajectory_id,
        "segment_id": candidate.segment_id,
        "document_uri": candidate.document_uri,
        "stratum": candidate.stratum,
        "messages": _dump(messages),
        "tools": _dump(tools),
        "text": text,
    }


def _pair(trajectory: Trajectory, text: str) -> tuple[list[Json], list[Json]]:
    asked = [message.model_dump() for message in synthesis.ask(text)]
    return [*asked, {"role": "assistant", "content": synthesis.write(trajectory)}], []


def _conversation(trajectory: Trajectory, text: str) -> tuple[list[Json], list[Json]]:
    del text
    return [message.to_openai() for message in trajectory.messages], [tool.to_openai() for tool in trajectory.tools]


def _dump(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
