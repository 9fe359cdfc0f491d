"""Formats of trajectories, for those who analyse, replay or convert them: ATIF and the Agent Data Protocol.

ATIF is Harbor's Agent Trajectory Interchange Format, version 1.7, which the Agent Data Protocol adopted as its own
second version. `adp` writes the protocol's first version, a list of actions and observations.
"""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from itertools import groupby
from typing import Any

from gem_tasks.distill.formats.conversation import Conversation, called, calls, reports_error
from gem_tasks.domain.base import Json

_version = cache(lambda: version("gem-tasks"))
"""Reads the package's metadata once."""
_SOURCES = {"system": "system", "user": "user", "assistant": "agent"}


def atif(found: Conversation) -> Json | None:
    """One step per message; the results of a step's calls are its observation."""
    steps: list[Json] = []
    for message in found.messages:
        if message["role"] == "tool":
            if not steps or "tool_calls" not in steps[-1]:
                return None
            steps[-1].setdefault("observation", {"results": []})["results"].append(_result(message))
        else:
            steps.append({"step_id": len(steps) + 1, **_step(message)})
    about = found.about
    teacher: dict[str, Any] = about.get("teacher") or {}
    model = teacher.get("refine") or teacher.get("generate")
    agent: Json = {"name": "gem", "version": _version(), **({"model_name": model} if model else {})}
    return {
        "schema_version": "ATIF-v1.7",
        "session_id": str(about.get("trajectory_id", "")),
        "trajectory_id": str(about.get("trajectory_id", "")),
        "agent": {**agent, "tool_definitions": found.tools},
        "steps": steps,
        "extra": about,
    }


def adp(found: Conversation) -> Json:
    """Each call is followed by its observation."""
    return {
        "schema_version": "1.2.0",
        "id": str(found.about.get("trajectory_id", "")),
        "content": list(_contents(found.messages)),
        "details": {**found.about, "tools": found.tools},
    }


def _step(message: Json) -> Json:
    step: Json = {"source": _SOURCES[message["role"]], "message": message.get("content") or ""}
    if thought := message.get("reasoning_content"):
        step["reasoning_content"] = thought
    if made := calls(message):
        step["tool_calls"] = [
            {"tool_call_id": call["id"], "function_name": each["name"], "arguments": each["arguments"]}
            for call, each in zip(made, map(called, made), strict=True)
        ]
    return step


def _result(message: Json) -> Json:
    error = {"extra": {"error": True}} if reports_error(message) else {}
    return {"source_call_id": message["tool_call_id"], "content": message.get("content") or "", **error}


def _contents(messages: list[Json]) -> Iterator[Json]:
    results = {message["tool_call_id"]: message for message in messages if message["role"] == "tool"}
    for role, group in groupby(messages, key=lambda message: message["role"]):
        for message in group:
            text = message.get("content") or ""
            if role in ("system", "user"):
                source = "user" if role == "user" else "environment"
                yield {"class_": "text_observation", "content": text, "source": source}
            elif role == "assistant":
                yield from _actions(message, text, results)


def _actions(message: Json, text: str, results: dict[str, Json]) -> Iterator[Json]:
    made, thought = calls(message), message.get("reasoning_content")
    if not made:
        yield {"class_": "message_action", "content": text, **({"description": thought} if thought else {})}
    beside = "\n\n".join(filter(None, (thought, text)))
    for place, call in enumerate(made):
        each = called(call)
        description = {"description": beside} if beside and not place else {}
        yield {"class_": "api_action", "function": each["name"], "kwargs": each["arguments"], **description}
        if (result := results.get(call["id"])) is not None:
            yield {"class_": "text_observation", "content": result.get("content") or "", "source": "environment"}
