"""A simulation over a world in Python that answers every call."""

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts import load
from gem_tasks.simulate.scene import Caps, Player, Players, Scene
from gem_tasks.simulate.simulation import Simulation
from gem_tasks.worlds.scenario import Event, Scenario
from gem_tasks.worlds.steps import Answer, Call
from gem_tasks.worlds.task import Task, Variant, Wish

TOOLS = (
    ToolSpec(name="find_order", description="Finds orders.", parameters={"type": "object"}),
    ToolSpec(name="cancel_order", description="Cancels an order.", parameters={"type": "object"}),
)
TASK = Task(
    title="cancel",
    system="You cancel orders.",
    persona="Terse.",
    wishes=(Wish(text="The order of the red lamp is to be cancelled before it leaves the house", reveal="first"),),
    knows=("She is Ada.",),
    deeds={"rings": "You ring the shop."},
    tables=("orders",),
    variants=(Variant(name="plain", scenario=Scenario(events={"rings": Event(code="")}), reference=()),),
)
FIND = '<func>{"name": "find_order", "arguments": {"what": "lamp"}}</func>'
CANCEL = '<func>{"name": "cancel_order", "arguments": {"id": "o-1"}}</func>'


class Shop:
    """Answers every call with its number."""

    def __init__(self, findings=()):
        self.steps, self.findings, self.result = [], findings, {"ok": True}

    def take(self, steps):
        self.steps += steps
        return [
            Answer(result=self.result if isinstance(step, Call) else None, findings=self.findings) for step in steps
        ]


class Verdict:
    def __init__(self, reached=True, reasons=()):
        self.reached, self.reasons = reached, reasons


def begun(shop=None, verdict=None, caps=None, native=False, attempt=1):
    scene = Scene(world="w", task=TASK, index=2, variant="plain", seed=7, attempt=attempt, tools=TOOLS)
    players = Players(
        assistant=Player(model="big", native=native),
        user=Player(model="small"),
        form=load("simulate"),
        briefing=load("simulate.user"),
    )
    return Simulation(
        scene, players, shop or Shop(), lambda steps: verdict or Verdict(), caps or Caps(), segment_id="s"
    )
