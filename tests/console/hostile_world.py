"""The line in a world over one hostile segment: two conversations, of which one missed the goal."""

import json

from gem_tasks.domain.judgement import RULES, Judgement, Verdict
from gem_tasks.domain.outcome import Accepted, Outcome
from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.lineage import RunContext
from gem_tasks.store import keys, shards
from gem_tasks.worlds.built import Built, Rule
from gem_tasks.worlds.played import Execution, Played
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger
from gem_tasks.worlds.steps import Call, Deed, Turn
from gem_tasks.worlds.task import Condition, Task, Tasks, Variant, Wish
from gem_tasks.worlds.world import IdFormat, Tool, World

_ID = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
_CODE = """const NOTE = %s;
// %s
function cancel(state, args) {
  const order = state.orders[args.id];
  if (!order) return fail("NOT_FOUND", NOTE);
  order.status = NOTE;
  return {id: args.id, status: order.status};
}
function look(state, args) { return {order: clone(state.orders[args.id] ?? null)}; }
"""

RUN = RunContext(run_id="of_gem_worlds", task_id="world.run", map_index=0, try_number=1)


def built(payloads, text, quote):
    """A world whose keys, values, code and rules are the payloads."""
    everything = " ".join(payloads)
    start = text.index(quote)
    orders = {payload: {"id": payload, "note": everything, "status": "open"} for payload in payloads}
    return Built(
        world=World(
            state={"now": "2026-03-12T09:00:00Z", everything: everything, "orders": orders, "list": [everything, 1]},
            code=_CODE % (json.dumps(everything), everything),
            tools=(Tool(name="cancel", parameters=_ID), Tool(name="look", parameters=_ID, reads=True)),
            ids={everything: IdFormat(format=everything + "{n}", next=7)},
        ),
        rules=(
            Rule(text=everything, quote=quote, span=(start, start + len(quote)), tools=("cancel",)),
            Rule(text=everything),
        ),
        trials={"loads": 1, everything: 12},
    )


def tasks(payloads):
    """One task with a variant that has everything."""
    everything = " ".join(payloads)
    events = {
        payloads[0]: Event(
            code='state.orders["late"] = {id: "late"};', trigger=Trigger(tool="cancel", arguments={"id": payloads[1]})
        ),
        "deed": Event(code='state.orders["made"] = {id: "made"};'),
    }
    variant = Variant(
        name=payloads[2],
        scenario=Scenario(events=events, faults=(Fault(tool="look", kind="timeout", needs=frozenset({"deed"})),)),
        ending="impossible",
        reference=(Turn(), Deed(name="deed"), Call(name="cancel", arguments={"id": payloads[1]})),
    )
    task = Task(
        title=everything,
        system=everything,
        persona=everything,
        wishes=(Wish(text=everything, reveal=everything),),
        knows=(everything,),
        deeds={"deed": everything},
        tables=("orders", everything),
        volatile=(everything,),
        conditions=(Condition(kind="after", tool="cancel", arguments={"id": everything}, other="look"),),
        variants=(variant,),
    )
    return Tasks(tasks=(task,), refused=(everything,))


def played(payloads, world, *, reached):
    """A conversation with a deed, a read and a write whose results are the world's."""
    everything = " ".join(payloads)
    calls = ({"name": "look", "arguments": {"id": "none"}}, {"name": "cancel", "arguments": {"id": payloads[1]}})
    lost = {"error": {"code": "TIMEOUT", "message": "No answer within 30 s."}}
    results = (lost, {"id": payloads[1], "status": everything})
    return Played(
        tools=tuple(ToolSpec(name=tool.name, description=everything, parameters=_ID) for tool in world.world.tools),
        messages=(
            Message(role="system", content=everything),
            Message(role="user", content=everything),
            Message(
                role="assistant",
                tool_calls=tuple(ToolCall(id=f"call_{at}", **call) for at, call in enumerate(calls, 1)),
            ),
            *(
                Message(role="tool", content=json.dumps(result), tool_call_id=f"call_{at}")
                for at, result in enumerate(results, 1)
            ),
            Message(role="assistant", content=everything),
        ),
        execution=Execution(
            world=world.world_id,
            task=0,
            variant=payloads[2],
            seed=7,
            steps=(Deed(name="deed"), Turn(), *(Call(**call) for call in calls)),
            reached=reached,
            reasons=() if reached else (everything,),
        ),
    )


def chain(parent):
    """Recipes of the line by name; `missed` is a second attempt."""
    world = Recipe(stage="world", version=1, model="m", parent=parent)
    task = Recipe(stage="task", version=1, model="m", parent=world.recipe_id)
    simulate = Recipe(stage="simulate", version=1, model="m", parent=task.recipe_id)
    missed = Recipe(stage="simulate", version=1, model="m", params={"rollout": 1}, parent=task.recipe_id)
    verify = Recipe(stage="verify", version=1, model="m", parent=simulate.recipe_id)
    return {"world": world, "task": task, "simulate": simulate, "missed": missed, "verify": verify}


def fill(work, partition, shard, segment, payloads, quote):
    """Writes all results of the line for a segment."""
    made = built(payloads, segment.text, quote)
    told = {"task": 0, "variant": payloads[2], "seed": 7, "attempt": 1, "calls": 2}
    recipes = chain(work.chain.id_of("extract"))
    verdict = Verdict(fault=False, quote="", reason="")
    outputs = {
        "world": Accepted.of(made),
        "task": Accepted.of(tasks(payloads)),
        "simulate": Accepted.of(played(payloads, made, reached=True)).model_copy(update={"measures": told}),
        "verify": Accepted.of(Judgement(rules=dict.fromkeys(RULES, verdict), warnings=())),
    }
    outcomes = {
        name: Outcome(segment_id=segment.segment_id, kind="accepted", payload=each.payload, measures=each.measures)
        for name, each in outputs.items()
    }
    outcomes["missed"] = Outcome(
        segment_id=segment.segment_id,
        kind="rejected",
        reason="goal_missed",
        payload=played(payloads, made, reached=False).model_dump_json(),
        measures=told | {"attempt": 2},
    )
    with work.ledger() as ledger:
        ledger.stages.record_recipes({}, list(recipes.values()))
        for name, outcome in outcomes.items():
            recipe = recipes[name]
            key = keys.stage_key(recipe.stage, recipe.recipe_id, partition, shard)
            work.store.put(key, shards.encode_outcomes([outcome]))
            ledger.stages.commit_outcomes(recipe, partition, shard, [outcome], key, RUN)
    return recipes
