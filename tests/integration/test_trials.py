"""Trials of worlds: an honest one passes, and every kind of bad world has its recorded reason."""

import json
from collections import Counter

import pytest

from gem_tasks.domain.workflow import ExecutionGraph, Extraction, PlannedCall, Requirement, Workflow
from gem_tasks.stages import stage
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.trials import tried as module
from gem_tasks.worlds.trials.failure import Failure, report
from gem_tasks.worlds.trials.tried import examined, tried
from gem_tasks.worlds.world import IdFormat, Limits, Tool, World
from tests.factories import make_record, make_tool
from tests.library_world import CODE, answer


def built(**parts):
    return Built.model_validate_json(stage("world").parse(answer(**parts), make_record()).payload)


LOANS = make_record().output("extract", Extraction).workflows[0]
ORDERS = {f"SO-{n}": {"id": f"SO-{n}", "status": "open", "sum": n} for n in range(41, 49)} | {
    "SO-50": {"id": "SO-50", "status": "sent", "sum": 5}
}
ID = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
KIND = {"type": "string", "enum": ["a", "b"]}
BAD = {
    "loops": ("for (;;) {}", "timeout"),
    "leaks": ("const kept = []; for (;;) kept.push(new Array(1e5).fill(state));", "memory"),
    "throws": ('if (args.id === "") missing(); return {ok: true};', "threw"),
    "picky": ("return state.orders[args.id]?.status === 'sent' ? missing() : {};", "threw"),
    "mutates": ("state.orders[args.id].status = 'read'; return {};", "frozen"),
    "redefines": ("Array.prototype.map = null; return {};", "frozen"),
    "floods": ('return {text: "x".repeat(10 << 20)};', "result_too_large"),
    "forgets": ("if (args.id in state.orders) state.orders[args.id].sum = NaN; return {};", "state_not_json"),
    "answers": ("return [];", "not_an_object"),
    "lists": ('return {kinds: ["small", "medium", "large"]};', "fixed_answer"),
    "favours": ('return args.id === "SO-41" ? {vip: true} : fail("NO", "No.");', "special_cased"),
    "never": ('return fail("NO", "No.");', "run_failed"),
    "any": ("state.log[nextId(state, 'log')] = {at: state.now}; return {ok: args.id.length};", "unknown_accepted"),
    "loose": ("return {kind: args.kind};", "unenforced"),
    "early": ("state.orders[args.id].sum += 1; return {};", "order_unenforced"),
    "send": (
        'if (!(args.id in state.orders)) return fail("NO", "No."); state.orders[args.id].sent = 1; return {};',
        "",
    ),
}
READS = {"picky", "throws", "mutates", "redefines", "floods", "lists", "favours"}


def bad_world(*names, memory=48 << 20):
    """One world with these functions as its tools."""
    schemas = {"loose": {"type": "object", "properties": {"kind": KIND}, "required": ["kind"]}}
    tools = tuple(Tool(name=name, parameters=schemas.get(name, ID), reads=name in READS) for name in names)
    code = "\n".join(f"function {name}(state, args) {{ {BAD[name][0]} }}" for name in names)
    world = World(
        state={"orders": ORDERS, "log": {}},
        code=code,
        tools=tools,
        ids={"log": IdFormat(format="SO-{n}", next=47)},
        limits=Limits(seconds=0.05, memory=memory),
    )
    given = {"loose": {"kind": "a"}}
    run = tuple(Call(name=name, arguments=given.get(name, {"id": "SO-42"})) for name in names if name != "favours")
    workflow = Workflow(
        description="Sending an order.",
        steps=("Send it.",),
        execution_graph=ExecutionGraph(nodes=tuple((name,) for name in names)),
        actions=(PlannedCall(name=names[0], arguments={"id": "SO-41"}),),
        tools=tuple(make_tool(name) for name in names),
        requires=(Requirement(tool="early", after="send"),) if "early" in names else (),
    )
    return Built(world=world, run=run), workflow


QUICK = [name for name in BAD if name not in ("loops", "leaks")]


@pytest.fixture(scope="module")
def failures():
    """`(reason, tool)` of all bad functions: of those that spend their time or memory in a world of two."""
    order = ["send", *(name for name in QUICK if name != "send")]
    found = [*examined(*bad_world(*order)), *examined(*bad_world("loops", "leaks", memory=4 << 20))]
    return {(failure.reason, failure.tool): failure.detail for failure in found}


@pytest.mark.parametrize("name", [name for name in BAD if BAD[name][1]])
def test_every_kind_of_bad_world_has_a_reason(failures, name):
    reason = BAD[name][1]
    assert (reason, "" if reason == "special_cased" else name) in failures


def test_nothing_else_is_said_of_them(failures):
    wanted = {(reason, "" if reason == "special_cased" else name) for name, (_, reason) in BAD.items() if reason}
    assert failures.keys() - wanted == {("threw", "early"), ("id_taken", ""), ("id_below", "")}


def test_a_report_says_what_was_done_and_what_happened(failures):
    assert failures["unenforced", "loose"] == (
        "loose({\"kind\": \"no-such-option\"}): accepted, but kind has the limit enum ['a', 'b']"
    )
    assert 'without send({"id": "SO-42"}) before it' in failures["order_unenforced", "early"]
    assert failures["special_cased", ""] == 'the code names ["SO-41"]: let fields of the records or tables decide'
    assert '<ids>: "log" would give SO-47' in failures["id_taken", ""]


@pytest.fixture(scope="module")
def honest():
    return tried(built(), LOANS)


def test_an_honest_world_is_returned_with_the_trials_that_it_passed(honest):
    assert honest.world == built().world
    assert honest.trials["calls"] == 2
    assert min(honest.trials[kind] for kind in ("changes", "odd", "unknown", "repeated", "state", "replays")) >= 1


def test_a_failing_run_says_which_call_failed_and_hides_what_follows_from_it():
    run = [{"name": "get_loan", "arguments": {"loan_id": "L-99"}},
           {"name": "renew_loan", "arguments": {"loan_id": "$1.loan.id", "weeks": 1}}]  # fmt: skip
    assert tried(built(run=json.dumps(run)), LOANS) == (
        'The world was run, and failed:\n1. run_failed: call 1 of the run: get_loan({"loan_id": "L-99"})'
        ' answered {"error": {"code": "NOT_FOUND", "message": "No loan L-99."}}'
    )


def test_a_world_without_a_run_is_tried_with_calls_that_a_search_finds():
    assert tried(built(run=""), LOANS).trials["calls"] == 2


def test_code_that_does_not_load_is_a_failure():
    [failure] = examined(built(code=CODE + "}"), LOANS)
    assert (failure.reason, failure.tool) == ("not_loaded", "")


def test_a_child_that_the_machine_ended_while_it_loaded_the_code_is_not_the_worlds_fault(monkeypatch):
    real, ended = module.opened, [RefusedWorldError("crashed", "the engine's process ended while it loaded the code")]

    def flaky(*args, **more):
        if ended:
            raise ended.pop()
        return real(*args, **more)

    monkeypatch.setattr(module, "opened", flaky)
    assert isinstance(tried(built(), LOANS), Built)


def test_a_world_that_changes_nothing_or_has_few_records_is_refused():
    poor = built(code=CODE.replace("loan.renewals += 1;", "").replace("loan.weeks += args.weeks;", ""))
    few = poor.model_copy(
        update={
            "world": poor.world.model_copy(
                update={"state": {"loans": dict(list(poor.world.state["loans"].items())[:5])}}
            )
        }
    )
    assert Counter(each.reason for each in examined(few, LOANS)) == {"nothing_changes": 1, "few_records": 1}


def test_a_report_names_up_to_eight_kinds_of_failures_once():
    failures = [Failure("threw", f"tool_{n}", "x") for n in range(10)] * 2
    text = report(failures)
    assert text.splitlines()[0] == "The world was run, and failed:"
    assert text.splitlines()[-2:] == ["8. threw: tool_7: x", "and 2 more."]
