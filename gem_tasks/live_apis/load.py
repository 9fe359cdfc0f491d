"""Trajectories to ground: published ones, or a file in the `openai` export format."""

import json
from collections.abc import Iterator
from pathlib import Path

from gem_tasks.dataset.export import published
from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.errors import UserError, first_line
from gem_tasks.live_apis.sample import Sampled
from gem_tasks.pipeline.workspace import Workspace


def from_store(work: Workspace) -> Iterator[Sampled]:
    """Every current trajectory."""
    for row in published(work):
        yield _sampled(row, "")


def from_file(path: Path) -> Iterator[Sampled]:
    """Every trajectory of a `trajectories.jsonl`; ids are those of its metadata, otherwise line numbers.

    Raises:
        UserError: it cannot be read, or a line is not such an object; the message names the line.
    """
    try:
        yield from _rows(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {first_line(error)}", "Make one with `gem export`.") from None


def _rows(path: Path) -> Iterator[Sampled]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield _sampled(json.loads(line), str(number))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                first = first_line(error)
                raise UserError(
                    f"{path}, line {number}: not a trajectory: {first}", "Make one with `gem export`."
                ) from None


def _sampled(row: Json, otherwise: str) -> Sampled:
    metadata: Json = row.get("metadata") or {}
    return Sampled(
        str(metadata.get("trajectory_id") or otherwise),
        trajectory_of(row),
        str(metadata.get("segment_id") or ""),
        str(metadata.get("document_uri") or ""),
    )


def trajectory_of(row: Json) -> Trajectory:
    """Reads `{"messages", "tools"}` in the Chat Completions format."""
    tools = tuple(ToolSpec.from_json(tool) for tool in row["tools"])
    return Trajectory(tools=tools, messages=tuple(_message(each) for each in row["messages"]))


def _message(row: Json) -> Message:
    calls = tuple(
        ToolCall(id=call["id"], name=call["function"]["name"], arguments=json.loads(call["function"]["arguments"]))
        for call in row.get("tool_calls") or ()
    )
    return Message(role=row["role"], content=row.get("content"), tool_calls=calls, tool_call_id=row.get("tool_call_id"))
