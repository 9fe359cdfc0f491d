"""Two short conversations with tools, and helpers to make more."""

import json

from gem_tasks.evals.calls.conversations import LeftOut, read_conversations
from gem_tasks.evals.calls.run import evaluate
from gem_tasks.evals.calls.turns import turns_of
from gem_tasks.evals.options import CallsOptions
from gem_tasks.lint.files import Line


def tool(name, required=(), /, **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": f"{name}.", "parameters": schema}}


TEXT = {"type": "string"}
TOOLS = [
    tool("find_bread", ["name"], name=TEXT, size={"type": "string", "enum": ["Small", "Large"], "default": "Small"}),
    tool("order_bread", ["bread_id", "count"], bread_id=TEXT, count={"type": "integer"}, on={**TEXT, "format": "date"}),
]


def said(role, content):
    return {"role": role, "content": content}


def called(*calls, content=None):
    """An assistant's message; each call is `(id, name, arguments)`."""
    made = [
        {"id": ident, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for ident, name, arguments in calls
    ]
    return {"role": "assistant", "content": content, "tool_calls": made}


def told(ident, result):
    return {"role": "tool", "tool_call_id": ident, "content": json.dumps(result)}


RYE = {
    "id": "rye",
    "tools": TOOLS,
    "messages": [
        said("system", "You sell bread."),
        said("user", "Rye and spelt, please."),
        called(("a", "find_bread", {"name": "rye"}), ("b", "find_bread", {"name": "spelt"})),
        told("a", {"id": "B1"}),
        told("b", {"id": "B2"}),
        said("assistant", "Both are there. How many do you want?"),
        said("user", "Two of the rye on 5 March 2026."),
        called(("c", "order_bread", {"bread_id": "B1", "count": 2, "on": "2026-03-05"}), content="I order it."),
        told("c", {"ok": True}),
        said("assistant", "Two rye breads are ordered."),
    ],
}
CAKE = {
    "id": "cake",
    "tools": TOOLS,
    "messages": [
        said("user", "A cake?"),
        called(("a", "find_bread", {"name": "cake"})),
        told("a", {"found": []}),
        said("assistant", "We cannot sell cake."),
    ],
}


def read(*rows):
    """The conversations of rows, and what was left out."""
    left_out = LeftOut()
    return read_conversations((Line(f"f:{at}", row) for at, row in enumerate(rows, 1)), left_out), left_out


def turns(*rows, max_context=100_000):
    """The turns of rows, and what was left out."""
    found, left_out = read(*rows)
    return list(turns_of(found, max_context, left_out)), left_out


OPTIONS = CallsOptions(concurrency=3)


def ran(model, folder, rows, options=OPTIONS):
    """The report on these rows."""
    found, left_out = read(*rows)
    return evaluate(model, found, options, folder, left_out=left_out)


def values(report):
    """The scores by category and metric."""
    return {(score.category, score.metric): score.value for score in report.scores}
