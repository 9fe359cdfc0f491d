"""Worlds in their confined process: honest ones, and code that attacks the engine, the runtime or the machine."""

import json
from contextlib import suppress

import psutil
import pytest

from gem_tasks.worlds.pool import Pool
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger
from gem_tasks.worlds.session import Recorded, opened
from gem_tasks.worlds.steps import Call, Deed, Turn
from gem_tasks.worlds.world import Clock, IdFormat, Limits, Tool, World
from tests.confining import WAYS, confine_by

STATE = {
    "now": "2026-02-28T23:59:50Z",
    "items": {"i-1": {"id": "i-1", "n": 3}, "i-2": {"id": "i-2", "n": 1}, "i-3": {"id": "i-3", "n": 2}},
}
CODE = """
let calls = 0;
function count(state, args) { calls += 1; return {calls}; }
function get(state, args) {
  const item = state.items[args.id];
  return item ? {item} : fail("NOT_FOUND", "No item " + args.id + ".");
}
function list(state, args) { return page(sortBy(filterBy(values(state.items), {n: args.n}), "-n"), args); }
function add(state, args) {
  if (args.name.length > 5) return fail("NAME_TOO_LONG", "name has " + args.name.length + " characters.");
  const id = nextId(state, "i");
  state.items[id] = {id, n: 0, name: args.name, at: state.now};
  return {id};
}
function half(state, args) {
  state.items["i-1"].n = 99; nextId(state, "i");
  return args.throws ? missing() : fail("HALF", "refused late");
}
function loose(state, args) { return {ok: true}; }
"""
NAME = {"type": "string", "maxLength": 5}
TOOLS = (
    Tool(name="count", parameters={}, reads=True),
    Tool(name="get", parameters={"required": ["id"]}, reads=True),
    Tool(name="list", parameters={}, reads=True),
    Tool(name="add", parameters={"properties": {"name": NAME}, "required": ["name"]}),
    Tool(name="half", parameters={}),
    Tool(name="loose", parameters={"properties": {"name": NAME}}),
)
WORLD = World(state=STATE, code=CODE, tools=TOOLS, ids={"i": IdFormat(format="i-{hex:4}", next=254, step=2)})


def call(tool, /, **arguments):
    return Call(name=tool, arguments=arguments)


SCENARIO = Scenario(
    events={
        "sold": Event(code="delete state.items['i-2'];", trigger=Trigger(tool="add", arguments={"name": "sell"})),
        "broken": Event(code="state.items = {}; nothing();"),
        "wake": Event(code="add(state, {name: 'turn'});", trigger=Trigger(turn=2)),
    },
    faults=(Fault(tool="add", kind="timeout", arguments={"name": "lost"}),),
)


@pytest.fixture(scope="module")
def honest():
    with opened(WORLD.model_copy(update={"clock": Clock(per_call_s=5, per_turn_s=3600)})) as session:
        yield session


@pytest.fixture
def session(honest):
    honest.begin(SCENARIO)
    return honest


def results(session, *steps):
    return [answer.result for answer in session.take(steps)]


def items(session):
    return json.loads(session.state.tables["items"])


def test_calls_read_and_write_the_state_and_ids_are_counted_in_it(session):
    made = results(session, call("add", name="a"), call("add", name="b"), call("get", id="i-0100"))
    assert made[:2] == [{"id": "i-00fe"}, {"id": "i-0100"}]
    assert made[2] == {"item": {"id": "i-0100", "n": 0, "name": "b", "at": "2026-03-01T00:00:00Z"}}


def test_lists_are_sorted_filtered_and_paged(session):
    assert results(session, call("list", limit=2), call("list", limit=2, offset=2), call("list", n=2)) == [
        {"items": [STATE["items"]["i-1"], STATE["items"]["i-3"]], "total": 3, "next_offset": 2},
        {"items": [STATE["items"]["i-2"]], "total": 3, "next_offset": None},
        {"items": [STATE["items"]["i-3"]], "total": 1, "next_offset": None},
    ]


def test_nothing_is_kept_between_calls_but_the_state(session):
    assert results(session, call("count"), call("count")) == [{"calls": 1}, {"calls": 1}]


def test_names_of_the_language_are_no_records(session):
    for name in ("constructor", "toString", "__proto__", "hasOwnProperty", "__defineGetter__"):
        assert results(session, call("get", id=name)) == [
            {"error": {"code": "NOT_FOUND", "message": f"No item {name}."}}
        ]


def test_a_refused_or_failed_write_leaves_no_trace(session):
    late, thrown, added = session.take([call("half"), call("half", throws=True), call("add", name="a")])
    assert late.result == {"error": {"code": "HALF", "message": "refused late"}}
    assert [(each.reason, each.detail, each.fault_of) for each in thrown.findings] == [
        ("threw", "ReferenceError: missing is not defined", "world")
    ]
    assert (late.changed, thrown.changed, added.result) == (("now",), ("now",), {"id": "i-00fe"})
    assert items(session)["i-1"]["n"] == 3


def test_the_worlds_own_error_comes_before_the_schemas(session):
    own, loose = session.take([call("add", name="too long"), call("loose", name="too long")])
    assert own.result == {"error": {"code": "NAME_TOO_LONG", "message": "name has 8 characters."}}
    assert loose.result["error"]["code"] == "INVALID_ARGUMENTS"
    assert ([each.reason for each in own.findings], [each.reason for each in loose.findings]) == ([], ["unenforced"])


def test_a_lost_answer_was_carried_out(session):
    (lost,) = session.take([call("add", name="lost")])
    assert (lost.result["error"]["code"], lost.changed) == ("TIMEOUT", ("items", "now"))
    assert items(session)["i-00fe"]["name"] == "lost"


def test_events_use_the_worlds_code_and_a_failing_one_changes_nothing(session):
    answers = session.take([call("add", name="sell"), Deed(name="broken"), Turn(), Turn()])
    assert "i-2" not in items(session)
    assert [(each.where, each.reason, each.fault_of) for each in answers[1].findings] == [
        ("broken", "threw", "scenario")
    ]
    assert items(session)["i-0100"] == {"id": "i-0100", "n": 0, "name": "turn", "at": "2026-03-01T01:59:55Z"}


def test_the_same_steps_give_the_same_answers_one_by_one_or_at_once(session):
    steps = [call("add", name="a"), Turn(), call("half"), call("list"), Turn(), call("add", name="sell"), call("list")]
    at_once, state = session.take(steps), session.state
    session.restart()
    assert ([session.take([step])[0] for step in steps], session.state) == (at_once, state)


def test_a_pool_lends_a_child_again_with_another_seed_or_scenario_and_starts_it_again_if_it_has_ended():
    world, deed = WORLD.model_copy(update={"ids": {}}), Scenario(events={"clear": Event(code="state.items = {};")})

    def added(scenario, seed, *steps):
        with pool.opened(world, scenario, seed=seed) as session:
            *_, answer = session.take([*steps, call("add", name="a")])
            return answer.result["id"], len(items(session))

    def children():
        return set(psutil.Process().children(recursive=True)) - others

    others = set(psutil.Process().children(recursive=True))
    with Pool() as pool:
        first, own = added(None, 1), children()
        assert first != added(None, 2)
        assert added(deed, 1, Deed(name="clear")) == (first[0], 1)
        assert children() <= own
        for each in own:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(own)
        assert added(None, 1) == first


def test_a_replay_tells_only_the_steps_that_differ_and_why_a_conversation_cannot_be_replayed(session):
    steps = [
        call("add", name="sell"),
        Turn(),
        call("list"),
        call("add", name="lost"),
        call("get"),
        call("loose", name="1234567"),
    ]
    told = [answer.result for answer in session.take(steps)]
    other = [{"id": "i-1"}, None, *told[2:]]
    code = {"broken": Event(code="nothing(); }")}
    conversations = [
        Recorded(steps, told, SCENARIO),
        Recorded(steps, other, SCENARIO),
        Recorded([Deed(name="gone")], [None], SCENARIO),
        Recorded(steps, told, Scenario(events=code)),
        Recorded(steps, told),
        Recorded(steps, [*told[:4], {"ok": True}, told[5]], SCENARIO),
    ]
    same, changed, deed, broken, plain, shape = session.replay(conversations)
    assert (same, list(changed), changed[0].result) == ({}, [0], {"id": "i-00fe"})
    assert (deed, broken.partition(":")[0]) == ("the scenario has no deed 'gone'", "threw")
    assert (list(plain), list(shape)) == ([2, 3], [4])
    assert results(session, call("count")) == [{"calls": 1}]


def test_a_replay_compares_texts_of_any_characters_and_numbers(session):
    steps = [call("add", name="é\t\u2028"), call("list"), call("get", id="\ud800"), Turn()]
    told = [answer.result for answer in session.take(steps)]
    assert "é\t\u2028" in [each.get("name") for each in told[1]["items"]]
    odd = [told[0], {**told[1], "total": float("nan")}, {"half": "\ud800"}, {}]
    same, other, number = session.replay(
        [Recorded(steps, told), Recorded(steps, odd), Recorded(steps, [told[0], {**told[1], "total": 4.0}, *told[2:]])]
    )
    assert (same, list(other), list(number)) == ({}, [1, 2, 3], [1])
    assert other[1].result == told[1]


def test_a_replay_in_which_code_spoils_the_engine_is_the_same_as_taking_the_steps(hostile):
    conversations = []
    for names in (["good", "spins", "good"], ["recurses"], ["good"]):
        hostile.restart()
        steps = [call(name) for name in names]
        conversations.append(Recorded(steps, [answer.result for answer in hostile.take(steps)]))
    wrong = Recorded(conversations[0].steps, [{"n": 4}, {}, {"n": 6}])
    assert [list(found) for found in hostile.replay([*conversations, wrong])] == [[], [], [], [1, 2]]


def test_a_session_whose_scenario_does_not_load_can_begin_another(session):
    with pytest.raises(RefusedWorldError, match="threw"):
        session.begin(Scenario(events={"bad": Event(code="}")}))
    session.begin()
    assert results(session, call("count")) == [{"calls": 1}]


def test_tools_with_other_names_than_functions_and_errors_that_keep_their_changes():
    code = """
function check_pin(state, args) {
  const card = state.cards[args.card];
  if (card.locked) return fail("LOCKED", "The card is locked.");
  if (args.pin === card.pin) { card.failed = 0; return {ok: true}; }
  card.failed += 1; card.locked = card.failed >= 2; card.last = nextId(state, "attempt");
  return failKeeping("WRONG_PIN", "Wrong.");
}
function delete_(state, args) { failKeeping("A", "b"); delete state.cards[args.card]; return fail("NO", "no"); }
function look(state, args) { return failKeeping("NONE", state.cards.c ? "kept" : "lost"); }"""
    tools = (
        Tool(name="check-pin", parameters={}),
        Tool(name="delete", parameters={}),
        Tool(name="look", parameters={}, reads=True),
    )
    cards = {"c": {"pin": "1", "failed": 0, "locked": False}}
    wrong, right = call("check-pin", card="c", pin="2"), call("check-pin", card="c", pin="1")
    with opened(World(state={"cards": cards}, code=code, tools=tools)) as session:
        answers = session.take([wrong, call("delete", card="c"), call("look"), right, wrong, wrong, right])
        codes = [answer.result.get("error", {}).get("code") for answer in answers]
        assert codes == ["WRONG_PIN", "NO", "NONE", None, "WRONG_PIN", "WRONG_PIN", "LOCKED"]
        assert [answer.changed for answer in answers] == [("cards",), (), (), ("cards",), ("cards",), ("cards",), ()]
        assert answers[0].result == {"error": {"code": "WRONG_PIN", "message": "Wrong."}}
        assert (
            session.state.ids["attempt"]["next"] - int(json.loads(session.state.tables["cards"])["c"]["last"][8:]) == 1
        )


HOSTILE = {
    "spins": ("for (;;) {}", "timeout"),
    "catches": ("for (;;) { try { for (;;) {} } catch (e) {} }", "timeout"),
    "finally_": ("try { for (;;) {} } finally { for (;;) {} }", "timeout"),
    "regex": ("return {x: /^(a+)+$/.test('a'.repeat(40) + '!')};", "timeout"),
    "native_search": ("for (;;) ('a'.repeat(3e6) + 'b').indexOf('a'.repeat(15e5) + 'c');", "crashed"),
    "throws_loop": ("throw {get message() { for (;;) {} }, toString() { for (;;) {} }};", "threw"),
    "eats": ("const a = []; for (;;) a.push('x'.repeat(1e7) + a.length);", "memory"),
    "long_text": ("let s = 'x'; for (;;) s += s;", "memory"),
    "recurses": ("return (function f() { return f(); })();", "stack"),
    "deep": ("let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return {a};", "result_not_json"),
    "cycle": ("const a = {}; a.a = a; return a;", "result_not_json"),
    "huge": ("return {x: 'x'.repeat(1e7)};", "result_too_large"),
    "throws_null": ("throw null;", "threw"),
    "throws_symbol": ("throw Symbol('x');", "threw"),
    "returns_nothing": ("", "not_an_object"),
    "returns_text": ("return 'x';", "not_an_object"),
    "returns_promise": ("return (async () => ({}))();", "result_not_json"),
    "returns_map": ("return {x: new Map([[1, 2]])};", "result_not_json"),
    "returns_function": ("return {x() {}};", "result_not_json"),
    "returns_nan": ("return {x: NaN};", "result_not_json"),
    "returns_half": ("return {x: '\\ud800'};", "result_not_json"),
    "to_json": ("return {toJSON() { return 'x'; }};", "result_not_json"),
    "getter_loop": ("return {get x() { for (;;) {} }};", "timeout"),
    "global_": ("globalThis.fail = 1; return {};", "frozen"),
    "prototype": ("Array.prototype.push = () => 0; return {};", "frozen"),
    "pollutes": ("Object.prototype.polluted = 1; return {};", "frozen"),
    "stringify": ("JSON.stringify = () => 'x'; return {};", "frozen"),
    "implicit": ("leaked = 1; return {};", "threw"),
    "evaluates": ("return {x: eval('1')};", "threw"),
    "constructs": ("return {x: (() => 0).constructor('return 1')()};", "threw"),
    "generator": ("return {x: (function* () {}).constructor('yield 1')};", "threw"),
    "dates": ("return {x: new Date().getTime()};", "threw"),
    "random": ("return {x: Math.random()};", "threw"),
    "proxy": ("return new Proxy({}, {});", "threw"),
    "imports": ("return import('os');", "result_not_json"),
    "caller": ("return {x: arguments.callee};", "threw"),
    "state_cycle": ("state.items.self = state.items; return {};", "state_not_json"),
    "state_map": ("state.items = new Map(); return {};", "state_not_json"),
    "state_symbol": ("state[Symbol('x')] = 1; return {};", "state_not_json"),
    "state_huge": ("state.items.x = 'x'.repeat(3e6); return {};", "state_too_large"),
    "read_sets": ("state.items['i-1'].n = 0; return {};", "frozen"),
    "read_adds": ("state.items.x = 1; return {};", "frozen"),
    "read_removes": ("delete state.items; return {};", "frozen"),
    "read_replaces": ("state.items = {}; return {};", "frozen"),
    "read_sorts": ("state.list.sort(); return {};", "frozen"),
    "read_numbers": ("return {id: nextId(state, 'x')};", "frozen"),
    "read_getter": ("return {get x() { state.items.x = 1; }};", "frozen"),
}


@pytest.fixture(scope="module")
def hostile():
    code = "\n".join(f"function {name}(state, args) {{ {body} }}" for name, (body, _) in HOSTILE.items())
    reads = tuple(Tool(name=name, parameters={}, reads=name.startswith("read_")) for name in HOSTILE)
    good = "function good(state, args) { state.items['i-1'].n += 1; return {n: state.items['i-1'].n}; }"
    tools = (*reads, Tool(name="good", parameters={}), Tool(name="absent", parameters={}))
    state = {**STATE, "list": [2, 1]}
    limits = Limits(seconds=0.05, memory=32 << 20)
    with opened(World(state=state, code=f"{code}\n{good}", tools=tools, limits=limits)) as session:
        yield session


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_gets_a_reason_and_changes_nothing_for_the_next_call(hostile, name):
    hostile.restart()
    before, attack, after = hostile.take([call("good"), call(name), call("good")])
    assert [each.reason for each in attack.findings] == [HOSTILE[name][1]], attack
    assert attack.result == {"error": {"code": "INTERNAL", "message": "Internal error."}}
    assert (attack.changed, before.result, after.result) == ((), {"n": 4}, {"n": 5})


def test_a_call_is_not_blamed_for_what_earlier_calls_left_in_memory():
    """Promises that never run stay in the engine."""
    code = """
function leaves(state) { (async (kept) => { await 1; return kept; })(new Array(2e5).fill(1)); return {}; }
function good(state) { return {n: new Array(5e5).fill(1).length}; }"""
    tools = (Tool(name="leaves", parameters={}), Tool(name="good", parameters={}))
    with opened(World(state={}, code=code, tools=tools, limits=Limits(memory=16 << 20))) as session:
        answers = session.take([call("leaves"), call("good")] * 10)
    assert [(answer.result, answer.findings) for answer in answers] == [({}, ()), ({"n": 500000}, ())] * 10


def test_a_tool_without_a_function_has_a_reason(hostile):
    (answer,) = hostile.take([call("absent")])
    assert [(each.reason, each.where) for each in answer.findings] == [("no_function", "absent")]


def test_an_error_that_is_null_is_none_and_one_anywhere_else_neither():
    code = """
function done(state) { state.n += 1; return {error: null, n: state.n}; }
function inner(state) { state.n += 1; return {rows: [{error: "E1"}], n: state.n}; }"""
    tools = (Tool(name="done", parameters={}), Tool(name="inner", parameters={}))
    with opened(World(state={"n": 0}, code=code, tools=tools)) as session:
        assert [answer.result["n"] for answer in session.take([call("done"), call("inner")])] == [1, 2]
        assert session.state.tables == {"n": "2"}


def test_a_result_is_the_text_that_its_getters_gave_once():
    world = World(
        state={"n": 0},
        code="function odd(state) { return {get x() { state.n += 1; return state.n; }}; }",
        tools=(Tool(name="odd", parameters={}),),
    )
    with opened(world) as session:
        (answer,) = session.take([call("odd")])
    assert (answer.result, session.state.tables) == ({"x": 2}, {"n": "2"})


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("function x( {", "threw"),
        ("}); let hidden = 1; (function () {", "threw"),
        ("}, 1, function () {", "threw"),
        ("}[1] = function () {", "threw"),
        ("for (;;) {}", "timeout"),
        ("const a = []; for (;;) a.push('x'.repeat(1e7) + a.length);", "memory"),
        ("Object.freeze = () => 0;", "frozen"),
        ("for (;;) ('a'.repeat(3e6) + 'b').indexOf('a'.repeat(15e5) + 'c');", "crashed"),
    ],
)
def test_code_that_does_not_load_has_a_reason(code, reason):
    with (
        pytest.raises(RefusedWorldError) as refused,
        opened(World(state={}, code=code, tools=(), limits=Limits(seconds=0.05))),
    ):
        pass
    assert refused.value.args[0] == reason


@pytest.mark.parametrize("way", WAYS)
def test_worlds_run_confined_by_each_means(way, monkeypatch):
    confine_by(way, monkeypatch)
    with opened(WORLD, mode="require") as session:
        assert results(session, call("add", name="a")) == [{"id": "i-00fe"}]
