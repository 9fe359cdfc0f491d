"""A small world with a scenario, and conversations in it as rows of a dataset: what tests of replays share."""

import json

from pydantic import TypeAdapter

from gem_tasks.worlds.built import world_id
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger
from gem_tasks.worlds.steps import Call, Step, Turn
from gem_tasks.worlds.task import Task, Variant, Wish
from gem_tasks.worlds.world import Tool, World

LENDING = World(
    state={
        "now": "2026-03-02T08:00:00Z",
        "books": {"b-1": {"id": "b-1", "lent_to": None}, "b-2": {"id": "b-2", "lent_to": "m-4"}},
    },
    code="""
function show_book(state, args) { return state.books[args.id] || fail("NO_BOOK", "No book " + args.id + "."); }
function lend_book(state, args) {
  const book = state.books[args.id];
  if (!book) return fail("NO_BOOK", "No book " + args.id + ".");
  if (book.lent_to) return fail("LENT", book.id + " is lent.");
  book.lent_to = args.member;
  return {id: book.id, lent_to: book.lent_to, receipt: nextId(state, "r")};
}""",
    tools=(
        Tool(
            name="show_book",
            parameters={"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
            reads=True,
        ),
        Tool(name="lend_book", parameters={"type": "object", "required": ["id", "member"]}),
    ),
)
RETURNED = Scenario(
    events={
        "returned": Event(code="state.books['b-2'].lent_to = null;", trigger=Trigger(turn=2)),
        "call": Event(code="state.books['b-2'].note = 'phoned';"),
    },
    faults=(Fault(tool="lend_book", kind="unavailable"),),
)
REPLAYABLE = Replayable(world=LENDING, scenarios={"0/plain": Scenario(), "0/returned": RETURNED})
LENDING_ID = world_id(LENDING)
STEPS = [
    {"kind": "turn"},
    {"kind": "call", "name": "lend_book", "arguments": {"id": "b-2", "member": "m-1"}},
    {"kind": "deed", "name": "call"},
    {"kind": "turn"},
    {"kind": "call", "name": "show_book", "arguments": {"id": "b-2"}},
    {"kind": "call", "name": "lend_book", "arguments": {"id": "b-2", "member": "m-1"}},
]
UNAVAILABLE = {"error": {"code": "UNAVAILABLE", "message": "503: the service did not accept the request."}}
SHOWN = {"id": "b-2", "lent_to": None, "note": "phoned"}
LENT = {"id": "b-2", "lent_to": "m-1", "receipt": "r-8624"}


def call(number, name, arguments):
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def result(number, found):
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": json.dumps(found)}


def executed(world=LENDING_ID, results=(UNAVAILABLE, SHOWN, LENT), **changes):
    """A row: the book is lent; it is unavailable at first; in the second turn it was returned."""
    arguments = [step["arguments"] for step in STEPS if step["kind"] == "call"]
    messages = [
        {"role": "system", "content": "You lend books."},
        {"role": "user", "content": "Lend b-2 to me, I am m-1."},
        {"role": "assistant", "content": None, "tool_calls": [call(1, "lend_book", arguments[0])]},
        result(1, results[0]),
        {"role": "assistant", "content": "It does not work at the moment."},
        {"role": "user", "content": "Try again."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [call(2, "show_book", arguments[1]), call(3, "lend_book", arguments[2])],
        },
        result(2, results[1]),
        result(3, results[2]),
        {"role": "assistant", "content": "It is yours."},
    ]
    execution = {
        "world": world,
        "task": 0,
        "variant": "returned",
        "seed": 5,
        "steps": STEPS,
        "reached": True,
        **changes,
    }
    tools = [
        {"type": "function", "function": {"name": tool.name, "description": tool.name, "parameters": tool.parameters}}
        for tool in LENDING.tools
    ]
    return {
        "messages": messages,
        "tools": tools,
        "metadata": {"trajectory_id": "t", "verified": "executed", **execution},
    }


TASKS = (
    Task(
        title="A lent book",
        system="You lend books.",
        persona="A member in a hurry.",
        wishes=(
            Wish(text="Lend b-2 to m-1; wait if it is lent.", reveal="first"),
            Wish(text="Try again.", reveal="later"),
        ),
        deeds={"call": "You phone the member who has the book."},
        tables=("books",),
        variants=(
            Variant(name="returned", scenario=RETURNED, reference=TypeAdapter(tuple[Step, ...]).validate_python(STEPS)),
        ),
    ),
    Task(
        title="Nothing but a question",
        system="You lend books.",
        persona="A member in a hurry.",
        wishes=(Wish(text="Is b-1 there?", reveal="first"),),
        tables=("books",),
        variants=(Variant(name="plain", reference=(Turn(), Call(name="show_book", arguments={"id": "b-1"}))),),
    ),
)
"""The second is idle: a conversation without calls reaches its goal."""
