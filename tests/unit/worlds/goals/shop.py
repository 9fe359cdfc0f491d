"""A small world of orders, tasks in it, and a session of it."""

from gem_tasks.worlds.built import Built
from gem_tasks.worlds.goals.judged import goal_in
from gem_tasks.worlds.goals.run import ran
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger
from gem_tasks.worlds.steps import Call, Deed, Turn
from gem_tasks.worlds.task import Condition, Task, Variant, Wish
from gem_tasks.worlds.world import Clock, IdFormat, Tool, World

CODE = """
function find(state, args) { return page(filterBy(values(state.orders), {customer: args.customer}), args); }
function get(state, args) { return state.orders[args.id] || fail("NOT_FOUND", "No order " + args.id + "."); }
function cancel(state, args) {
  const order = state.orders[args.id];
  if (!order) return fail("NOT_FOUND", "No order " + args.id + ".");
  if (order.status !== "open") return fail("NOT_OPEN", args.id + " is " + order.status + ".");
  order.status = "cancelled";
  order.changed_at = state.now;
  order.reason = args.reason;
  return {id: order.id, status: order.status};
}
function note(state, args) {
  if (!(args.id in state.orders)) return fail("NOT_FOUND", "No order " + args.id + ".");
  const id = nextId(state, "note");
  state.notes[id] = {id, order: args.id, text: args.text, at: state.now, due: addSeconds(state.now, 3600)};
  return {id};
}
function refund(state, args) {
  const order = state.orders[args.id];
  if (!order) return fail("NOT_FOUND", "No order " + args.id + ".");
  if (order.status !== "cancelled") return fail("NOT_CANCELLED", args.id + " is " + order.status + ".");
  const id = nextId(state, "refund");
  state.refunds[id] = {id, order: args.id, share: args.share};
  return {id, note: args.note};
}
function post(state, args) { return args.batch in state.batches ? {batch: args.batch} : fail("NOT_FOUND", "None."); }
function approve(state, args) {
  if (!(args.id in state.refunds)) return fail("NOT_FOUND", "No refund " + args.id + ".");
  return {id: args.id};
}
"""
ID = {"type": "string"}


def tool(name, properties, required, *, reads=False):
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Tool(name=name, parameters=schema, reads=reads)


TOOLS = (
    tool("find", {"customer": ID}, [], reads=True),
    tool("get", {"id": ID}, ["id"], reads=True),
    tool("cancel", {"id": ID, "reason": {"enum": ["late", "broken", "other"]}}, ["id", "reason"]),
    tool("note", {"id": ID, "text": ID}, ["id", "text"]),
    tool("refund", {"id": ID, "share": {"type": "integer", "minimum": 0, "maximum": 100}, "note": ID}, ["id", "share"]),
    tool("post", {"batch": ID}, ["batch"]),
    tool("approve", {"id": ID}, ["id"]),
)


def order(key, customer, status="open"):
    return {"id": key, "customer": customer, "status": status, "reason": None, "changed_at": None}


WORLD = World(
    state={
        "now": "2026-05-04T08:00:00Z",
        "orders": {
            "o-1": order("o-1", "Aster"), "o-2": order("o-2", "Aster"), "o-3": order("o-3", "Birch", "sent"),
            "o-4": order("o-4", "Birch"),
        },
        "notes": {}, "refunds": {}, "flags": {"night": False},
        "batches": {"monday": {}},
    },
    code=CODE,
    tools=TOOLS,
    ids={"note": IdFormat(format="N{n:4}", next=17), "refund": IdFormat(format="R-{hex:5}", next=4711, step=13)},
    clock=Clock(per_call_s=5, per_turn_s=40),
)  # fmt: skip
BUILT = Built(world=WORLD)
T = Turn()


def call(name, /, **arguments):
    return Call(name=name, arguments=arguments)


EVENTS = {
    "sent": Event(code="state.orders['o-2'].status = 'sent';", trigger=Trigger(tool="find")),
    "owner_calls": Event(code="state.flags.night = true;"),
}
REFERENCE = (
    T, call("find", customer="Aster"), T, call("cancel", id="$1.items.0.id", reason="late"),
    call("refund", id="o-1", share=40), call("note", id="o-1", text="refund $2.id"), Deed(name="owner_calls"),
)  # fmt: skip
LOST = Fault(tool="refund", kind="timeout")


def variant(name="plain", reference=REFERENCE, faults=(), events=EVENTS):
    return Variant(name=name, scenario=Scenario(events=events, faults=faults), reference=reference)


def task(**changes):
    found = {
        "title": "Cancel the late order", "system": "You cancel orders.", "persona": "Ms Aster",
        "wishes": (Wish(text="Cancel o-1 because it is late", reveal="first"),),
        "deeds": {"owner_calls": "I rang the owner."}, "tables": ("orders", "refunds"), "volatile": ("changed_at",),
        "conditions": (), "variants": (variant(),),
    }  # fmt: skip
    return Task.model_validate(found | changes)


CANCEL_FIRST = Condition(kind="confirmed", tool="cancel")


def verdict(session, steps, found=None):
    """What the goal of the task's first variant says of steps, in a session of that variant."""
    found = found or task()
    chosen = found.variants[0]
    return goal_in(session, WORLD, found, chosen).verdict(ran(session, steps))
