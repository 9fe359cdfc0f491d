"""One published trajectory as a flat row: the columns of a dataset version, frozen under `ROW_VERSION`.

Messages, tools and metadata are JSON strings: nested Parquet types do not survive tools with different schemas. The
plan has a column for each of its choices, so that viewers can filter and count.
"""

import json
from hashlib import sha256
from typing import Literal

import pyarrow as pa

from gem_tasks.corpus.text.harmless import harmless_json
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.plan import COLUMNS, Plan, columns_of
from gem_tasks.domain.record import Topic
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.take import FIRST, Take
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.worlds.played import Execution, evidence

ROW_VERSION = 7

PLAN_FIELDS = [pa.field(name, pa.string() if kind is str else pa.int32()) for name, kind in COLUMNS.items()]
"""Columns of plans, as Parquet has them."""

EXECUTION_FIELDS = [
    pa.field("verified", pa.string()),
    pa.field("world", pa.string()),
    pa.field("task", pa.int32()),
    pa.field("variant", pa.string()),
    pa.field("seed", pa.int64()),
    pa.field("steps", pa.string()),
]
"""Columns that tell how results came about: `checked` is written by a model and checked, `executed` comes from a world.
The others are null if it was not executed. With them and the world's file the conversation can be replayed."""

SCHEMA = pa.schema(
    [
        pa.field("trajectory_id", pa.string(), nullable=False),
        pa.field("segment_id", pa.string(), nullable=False),
        pa.field("messages", pa.string(), nullable=False),
        pa.field("tools", pa.string(), nullable=False),
        pa.field("metadata", pa.string(), nullable=False),
        *PLAN_FIELDS,
        *EXECUTION_FIELDS,
    ]
)


class Row(Value):
    """A trajectory with its origin."""

    trajectory_id: str
    segment: Segment
    topic: Topic
    trajectory: Trajectory
    recipe: str
    """Recipe of the stage that accepted it."""
    accepted_by: StageName = "validate"
    """That stage."""
    revised: bool = False
    """Whether it was refused at first and accepted after its revision."""
    plan: Plan | None = None
    """What it was to be like; None if it was made before there were plans."""
    take: Take = FIRST
    """Which of the conversations about the segment it is."""
    execution: Execution | None = None
    """How to replay it, if its results came from a world."""
    edited: bool = False
    """Whether a person edited it; by whom is not published."""

    @property
    def made_by(self) -> Literal["pipeline", "synthesizer"]:
        """Who wrote it: the stages from `extract` on, or a trained synthesizer in one call."""
        return "synthesizer" if self.accepted_by == "confirm" else "pipeline"

    def metadata(self, partition: str, teacher: dict[str, str]) -> Json:
        """Provenance, as the export contract names it; `teacher` is the model per stage."""
        size, thoughts = self.trajectory.size, self.trajectory.thoughts
        return {
            "trajectory_id": self.trajectory_id,
            "segment_id": self.segment.segment_id,
            "document_uri": self.segment.document_uri,
            "document_id": self.segment.document_id,
            "span": [self.segment.start, self.segment.end],
            **({"place": self.segment.place} if self.segment.place else {}),
            "title": self.segment.title,
            "license": self.segment.license,
            "language": self.segment.language,
            "domain": list(self.topic.domains),
            "platform": self.topic.platform,
            "task_category": self.topic.task_category,
            "summary": self.topic.summary,
            "teacher": teacher,
            "recipe": self.recipe,
            "made_by": self.made_by,
            "revised": self.revised,
            "plan": self.plan.facts if self.plan else None,
            **self.take.model_dump(),
            "verified": "executed" if self.execution else "checked",
            **(evidence(self.execution) | {"attempt": self.take.attempt} if self.execution else {}),
            "partition": partition,
            "n_messages": size.messages,
            "n_tools": size.tools,
            "n_calls": size.calls,
            **({"n_thoughts": thoughts["thoughts"]} if thoughts["thoughts"] else {}),
            **({"edited": True} if self.edited else {}),
        }

    def columns(self, metadata: Json) -> Json:
        """The values of a row by column of `SCHEMA`."""
        return {
            "trajectory_id": self.trajectory_id,
            "segment_id": self.segment.segment_id,
            "messages": _dump([message.to_openai() for message in self.trajectory.messages]),
            "tools": _dump([tool.to_openai() for tool in self.trajectory.tools]),
            "metadata": _dump(metadata),
            **columns_of(self.plan.facts if self.plan else None),
            **execution_columns(metadata),
        }


def execution_columns(metadata: Json) -> Json:
    """The values of `EXECUTION_FIELDS` in a row's metadata."""
    steps = metadata.get("steps")
    found = {field.name: metadata.get(field.name) for field in EXECUTION_FIELDS}
    return found | {"steps": None if steps is None else _dump(steps)}


def trajectory_id(segment_id: str, recipe: str) -> str:
    """Twenty hex characters: the same segment under the same recipe is the same trajectory."""
    return sha256(f"{segment_id}\0{recipe}".encode()).hexdigest()[:20]


def _dump(data: object) -> str:
    # Stages accept only harmless texts; older results are cleaned here.
    return harmless_json(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
