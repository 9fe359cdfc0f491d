"""Of a conversation that happened in a world, what the world settles is no question any more."""

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.workflow import ExecutionGraph, Extraction, Requirement, Workflow
from gem_tasks.stages.validate import findings_of
from gem_tasks.worlds.played import Execution, Played
from tests.factories import call, make_record, make_tool, make_trajectory, result, say

TOOLS = (make_tool("get_boat", boat_id={"type": "string"}), make_tool("cancel_trip", trip_id={"type": "string"}))
TALK = make_trajectory(
    say("system", "Boats and trips."),
    say("user", "What is boat B-12 called? And cancel trip T-1."),
    call(1, "get_boat", boat_id="B-12"),
    result(1, '{"boat_id": "B-12", "name": "Grey Heron"}'),
    call(2, "get_boat", boat_id="B-12"),
    result(2, '{"boat_id": "B-12", "name": "Ingrid"}'),
    call(3, "cancel_trip", trip_id="T-9"),
    result(3, '{"trip_id": "T-9", "status": "cancelled"}'),
    say("assistant", "Ingrid. Trip T-1 is cancelled."),
    tools=TOOLS,
)
WORKFLOW = Workflow(
    description="Trips.", steps=("Look.", "Cancel."), tools=(*TOOLS, make_tool("get_trip")),
    requires=(Requirement(tool="cancel_trip", after="get_boat"),), execution_graph=ExecutionGraph.parse("(get_boat)"),
)  # fmt: skip
EVIDENCE = Evidence(None, Extraction(workflows=(WORKFLOW,)))
EARLY = TALK.model_copy(update={"messages": (*TALK.messages[:2], *TALK.messages[6:8], TALK.messages[8])})


def kinds(trajectory, **how):
    return {f"{each.check}.{each.kind}" for each in run_checks(trajectory, EVIDENCE, **how)}


def test_results_need_no_check_and_arguments_still_do():
    assert {"realism.changed_at_once", "grounding.invented_id"} <= kinds(TALK)
    assert kinds(TALK) - kinds(TALK, executed=True) == {"realism.changed_at_once"}


def test_the_world_refuses_a_call_before_its_time():
    assert kinds(EARLY) - kinds(EARLY, executed=True) == {"policy.order"}


def test_the_validation_knows_a_conversation_of_a_world():
    execution = Execution(world="w", task=0, variant="v", seed=1, steps=(), reached=True)
    played = Played(tools=TALK.tools, messages=TALK.messages, execution=execution)
    said, happened = (findings_of(make_record(refine=each)) for each in (TALK, played))
    assert any(each.check == "realism" for each in said)
    assert not any(each.check == "realism" for each in happened)
    assert any(each.check == "grounding" for each in happened)
