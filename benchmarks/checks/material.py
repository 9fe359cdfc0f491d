"""What the benchmarks of the checks read: conversations, with what they were made from.

Two forms. A folder with `trajectories.jsonl` as `gem export` writes it, `segments.jsonl` (`segment_id`, `text`) and
`extractions.jsonl` (`segment_id`, `extraction`), as `clean.py` makes it; or a JSONL file whose lines hold `id`,
`messages`, `tools` and, where known, `source_text` and `extraction`.
"""

import json

from defects.sample import Sample

from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import Extraction, ToolSpec
from gem_tasks.files import json_lines

DRAFT = "-draft"
"""How the ids of drafts end: they are left out unless asked for."""


def lines(path):
    return list(json_lines(path)) if path.exists() else []


def load(path, drafts=False):
    """`(id, sample)` for every conversation of a folder or a file."""
    rows = _folder(path) if path.is_dir() else _file(path)
    return [(key, sample) for key, sample in rows if drafts or not key.endswith(DRAFT)]


def _folder(folder):
    texts = {line["segment_id"]: line["text"] for line in lines(folder / "segments.jsonl")}
    extractions = {line["segment_id"]: line["extraction"] for line in lines(folder / "extractions.jsonl")}
    for row in lines(folder / "trajectories.jsonl"):
        key = row["metadata"]["segment_id"]
        yield key, _sample(row, texts.get(key), extractions.get(key))


def _file(path):
    for row in lines(path):
        yield row["id"], _sample(row, row.get("source_text"), row.get("extraction"))


def _sample(row, text, extraction):
    trajectory = Trajectory(
        tools=tuple(ToolSpec.from_json(tool) for tool in row["tools"]),
        messages=tuple(_message(data) for data in row["messages"]),
    )
    return Sample(trajectory, Evidence(text, Extraction.model_validate(extraction) if extraction else None))


def _message(data):
    calls = [(call["id"], call["function"]) for call in data.get("tool_calls", [])]
    made = [ToolCall(id=key, name=body["name"], arguments=json.loads(body["arguments"])) for key, body in calls]
    return Message(
        role=data["role"], content=data["content"], tool_calls=tuple(made), tool_call_id=data.get("tool_call_id")
    )
