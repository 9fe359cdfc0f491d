"""The operations that a text teaches: steps, order of calls, and needed tools (paper section 3.2, stage 2)."""

import json
import re
from collections.abc import Iterator
from functools import cached_property

from pydantic import Field

from gem_tasks.domain.base import Json, Value

TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
"""The Chat Completions API's rule for function names."""


class ToolSpec(Value):
    """An OpenAI function tool; `parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: Json

    @cached_property
    def canonical_parameters(self) -> str:
        """The schema as JSON with sorted keys: equal schemas have equal texts, the keys of cached validators."""
        return json.dumps(self.parameters, sort_keys=True)

    def to_openai(self) -> Json:
        """`{"type": "function", "function": {...}}`."""
        return {"type": "function", "function": self.model_dump()}

    @classmethod
    def from_json(cls, data: Json) -> "ToolSpec":
        """Reads the OpenAI shape, the bare shape, or the paper's MCP-like one (`inputSchema`).

        Raises:
            KeyError: name or schema is missing.
            pydantic.ValidationError: a field has the wrong type.
        """
        body: Json = data.get("function", data)
        schema = body["parameters"] if "parameters" in body else body["inputSchema"]
        return cls(name=body["name"], description=body.get("description", ""), parameters=schema)


class PlannedCall(Value):
    """A concrete call that a step of the workflow would make."""

    name: str
    arguments: Json


class Requirement(Value):
    """The text requires that `tool` is called only after `after` has succeeded."""

    tool: str
    after: str


class ExecutionGraph(Value):
    """`(a)->(b, c)->(d)`: nodes run in order, the calls inside one node in parallel."""

    nodes: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        """The notation it was parsed from."""
        return "->".join(f"({', '.join(node)})" for node in self.nodes)

    def names(self) -> Iterator[str]:
        """Every tool name, in order, repeated as in the graph."""
        for node in self.nodes:
            yield from node

    @classmethod
    def parse(cls, text: str) -> "ExecutionGraph":
        """Reads `(a)->(b, c)->(d)`; tolerates spaces, line breaks and `→`.

        Raises:
            ValueError: the text is something else; the message says where.
        """
        nodes: list[tuple[str, ...]] = []
        for part in map(str.strip, text.replace("→", "->").split("->")):
            match = re.fullmatch(r"\(([^()]*+)\)", part)
            names = [name.strip() for name in match[1].split(",")] if match else []
            if not names or not all(TOOL_NAME.match(name) for name in names):
                raise ValueError(f"expected (tool) or (tool, tool) but found {part[:80]!r}")
            nodes.append(tuple(names))
        return cls(nodes=tuple(nodes))


class Workflow(Value):
    """One procedure of a text as a program over tools."""

    description: str
    steps: tuple[str, ...]
    execution_graph: ExecutionGraph
    actions: tuple[PlannedCall, ...] = ()
    tools: tuple[ToolSpec, ...]
    requires: tuple[Requirement, ...] = ()


class Extraction(Value):
    """All workflows of a segment, the most complete first; a trajectory is made from one of them."""

    workflows: tuple[Workflow, ...] = Field(min_length=1)

    @property
    def measures(self) -> Json:
        """For the lineage, which tells by it how many conversations the segment can have."""
        return {"workflows": len(self.workflows)}
