"""Tasks of every kind in the small world of orders."""

from gem_tasks.evals.worlds.cases import cases_of
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger
from gem_tasks.worlds.steps import Deed
from gem_tasks.worlds.task import Condition, Task, Variant, Wish
from tests.unit.worlds.goals.shop import WORLD, T, call

FIND, GET = call("find", customer="Aster"), call("get", id="o-3")
CANCEL, REFUND = call("cancel", id="$1.items.0.id", reason="late"), call("refund", id="o-1", share=40)
SENT = Event(code="state.orders['o-2'].status = 'sent';", trigger=Trigger(turn=2))
RANG = Event(code="state.flags.night = true;")
LOST = Fault(tool="refund", kind="timeout")
BUSY = Fault(tool="cancel", kind="unavailable")
PLAIN = (T, FIND, T, CANCEL, REFUND)


def variant(name, reference, events=None, faults=(), ending="done"):
    scenario = Scenario(events={"rang": RANG, **(events or {})}, faults=faults)
    return Variant(name=name, scenario=scenario, reference=reference, ending=ending)


def task(title, *variants, **changes):
    found = {
        "title": title, "system": "You cancel orders.", "persona": "Ms Aster", "deeds": {"rang": "I rang the owner."},
        "wishes": (Wish(text="Cancel my late order", reveal="first"), Wish(text="40 % back", reveal="after 1")),
        "tables": ("orders", "refunds"), "volatile": ("changed_at",), "variants": variants,
    }  # fmt: skip
    return Task.model_validate(found | changes)


CANCELS = task(
    "Cancel the late order",
    variant("plain", PLAIN),
    variant("sent", PLAIN, {"sent": SENT}),
    variant("lost", (*PLAIN, call("get", id="o-1")), faults=(LOST,)),
    variant("busy and sent", (T, FIND, Deed(name="rang"), T, CANCEL, CANCEL, REFUND), {"sent": SENT}, (BUSY,)),
    conditions=(Condition(kind="confirmed", tool="cancel"),),
)
CANNOT = task(
    "Cancel what was sent",
    variant("only look", (T, GET), ending="impossible"),
    variant("note it", (T, GET, call("note", id="o-3", text="sent")), ending="impossible"),
    tables=("orders", "notes"),
)
BROKEN = task("Broken", variant("no such order", (T, call("get", id="$1.items.0.id"))))
TALK = task("Only talk", variant("nothing", (T, T), ending="impossible"))
SHELF = Replayable(world=WORLD, scenarios={}, tasks=(CANCELS, CANNOT, BROKEN, TALK), segment_id="d1.0-10")
CASES = cases_of([SHELF])
