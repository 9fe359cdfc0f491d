"""Any world can be shown: tables of any JSON, code in pieces, tasks in words, and what a replay changed."""

import json
from contextlib import contextmanager

import pytest

from gem_tasks.console.worlds import changes as module
from gem_tasks.console.worlds.changes import changes
from gem_tasks.console.worlds.code import pieces
from gem_tasks.console.worlds.tables import tables
from gem_tasks.console.worlds.tasks import task_view
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.errors import UserError
from gem_tasks.worlds.built import Rule
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger
from gem_tasks.worlds.steps import Answer, Call, Deed, Snapshot, Turn
from gem_tasks.worlds.task import Condition, Task, Variant, Wish
from gem_tasks.worlds.world import World


def test_an_empty_state_has_no_tables():
    assert tables({}) == ()


def test_tables_come_from_any_json():
    found = {table.name: table for table in tables({
        "rows": {"a": {"id": "a", "n": 1}, "b": {"id": "b", "x": [None]}}, "list": [1, {"y": 2}], "empty": {},
        "now": "t", "null": None,
    })}  # fmt: skip
    assert found["rows"].columns == ("n", "x")  # "id" says what the key says
    assert found["rows"].rows == (("a", "1", ""), ("b", "", "[null]"))
    assert found["list"].rows == (("0", "1", ""), ("1", "", "2"))
    assert found["now"].rows == (("t",),) and found["now"].columns == ()
    assert found["empty"].rows == (("{}",),) and found["null"].rows == (("null",),)


def test_records_that_say_only_their_key_are_rows_too():
    (table,) = tables({"tags": {"a": {"id": "a"}}})
    assert (table.columns, table.rows, table.records) == (("",), (("a", ""),), 1)


def test_of_a_huge_table_only_the_beginning_is_shown_and_the_rest_is_counted():
    record = {f"field {number}": "x" * 10_000 for number in range(40)}
    (table,) = tables({"big": {str(number): record for number in range(5_000)}})
    assert (table.records, len(table.rows), len(table.columns), table.hidden) == (5_000, 100, 16, 24)
    assert max(len(cell) for row in table.rows for cell in row) == 161
    assert len(tables({str(number): {"a": {"b": 1}} for number in range(1_000)})) == 60


def test_code_is_cut_at_the_functions_of_the_tools():
    code = "const A = 1;\nfunction aid() {\n}\nfunction cancel(state, args) {\n  help();\n}\nfunction help() {\n}"
    rules = (Rule(text="a", tools=("cancel",)), Rule(text="b"), Rule(text="c", tools=("cancel", "other")))
    found = pieces(code, {"cancel"}, rules)
    assert [(piece.tool, piece.rules) for piece in found] == [(None, ()), ("cancel", (1, 3)), (None, ())]
    assert "\n".join(piece.text for piece in found) == code
    assert pieces("", {"cancel"}, ()) == ()


def test_a_task_is_told_in_words():
    events = {
        "late": Event(code="", trigger=Trigger(tool="pay", arguments={"id": "1"}, needs=frozenset({"signs"}))),
        "begins": Event(code="", trigger=Trigger(turn=2)),
        "signs": Event(code=""),
    }
    variant = Variant(
        name="v",
        scenario=Scenario(events=events, faults=(Fault(tool="pay", kind="conflict", times=2),)),
        reference=(Turn(), Deed(name="signs"), Call(name="pay", arguments={"id": "$1.id"})),
    )
    conditions = (
        Condition(kind="confirmed", tool="pay"),
        Condition(kind="after", tool="pay", other="look"),
        Condition(kind="never", tool="drop", arguments={"id": "2"}),
        Condition(kind="at_most", tool="pay", count=3),
    )
    view = task_view(Task(
        title="t", system="s", persona="p", wishes=(Wish(text="w", reveal="first"),), tables=("bills",),
        conditions=conditions, variants=(variant,),
    ))  # fmt: skip
    assert view.conditions == (
        "pay only after the user confirmed it", "pay only after look succeeded", 'never drop with {"id": "2"}',
        "pay at most 3 times",
    )  # fmt: skip
    assert [event.when for event in view.variants[0].events] == [
        'after pay with {"id": "1"}, once signs happened', "before message 2 of the user", "a deed of the user",
    ]  # fmt: skip
    assert view.variants[0].faults == ("conflict: pay, up to 2 times",)
    assert view.variants[0].reference == (
        ("the user does signs", ""), ("the user speaks", ""), ("pay", '{"id": "$1.id"}'),
    )  # fmt: skip


WORLD = World(state={}, code="", tools=())
MESSAGES = (
    Message(role="user", content="cancel it"),
    Message(role="assistant", tool_calls=(ToolCall(id="call_1", name="cancel", arguments={}),)),
    Message(role="tool", content='{"ok": true}', tool_call_id="call_1"),
)
STEPS = (Turn(), Call(name="cancel", arguments={}))


class Scripted:
    """A session whose states and results are given."""

    def __init__(self, states, results):
        self._states, self._results = list(states), list(results)
        self.state = self._next()

    def _next(self):
        return Snapshot(tables={name: json.dumps(value) for name, value in self._states.pop(0).items()})

    def take(self, steps):
        self.state = self._next()
        return [Answer(result=self._results.pop(0)) for _ in steps]


@pytest.fixture
def replayed(monkeypatch):
    def make(session, steps=STEPS):
        @contextmanager
        def opened(*_, **__):
            if isinstance(session, Exception):
                raise session
            yield session

        monkeypatch.setattr(module, "opened", opened)
        return changes(MESSAGES, steps, WORLD, Scenario(), 0, "auto")

    return make


def states(*orders):
    return [{"orders": each, "now": str(at)} for at, each in enumerate(orders)]


def test_fields_that_differ_are_told_record_by_record(replayed):
    before, after = {"a": {"status": "open", "n": 1}}, {"a": {"status": "done", "n": 1}, "b": {"x": None}}
    found = replayed(Scripted(states(before, before, after), [None, {"ok": True}]))
    assert found.turns[0].changes == ()
    changed, added = found.calls["call_1"].changes
    assert [(field.name, field.before, field.after) for field in changed.fields] == [("status", "open", "done")]
    assert (added.key, [(field.before, field.after) for field in added.fields]) == ("b", [("–", "null")])
    assert not found.calls["call_1"].differs


def test_another_result_than_the_conversation_tells_is_marked(replayed):
    assert replayed(Scripted(states({}, {}, {}), [None, {"ok": 1}])).calls["call_1"].differs


def test_a_table_of_other_values_has_a_single_line(replayed):
    found = replayed(Scripted(states([1], [1], [1, True]), [None, {}])).calls["call_1"].changes
    assert [(each.name, each.before, each.after) for each in found[0].fields] == [("", "[1]", "[1, true]")]


def test_many_changes_are_counted(replayed):
    many = {str(number): {"n": number} for number in range(50)}
    moment = replayed(Scripted(states({}, {}, many), [None, {}])).calls["call_1"]
    assert (len(moment.changes), moment.more) == (20, 30)


def test_a_replay_that_takes_too_long_stops_and_says_so(replayed, monkeypatch):
    times = iter([0.0, 1.0, 99.0])
    monkeypatch.setattr(module, "monotonic", lambda: next(times))
    found = replayed(Scripted(states({}, {}, {}), [None, {}]))
    assert found.calls == {} and found.note.startswith("The replay stopped after 1 of 2 steps")


@pytest.mark.parametrize("error", [RefusedWorldError("threw", "x"), ValueError("no deed")])
def test_a_world_that_cannot_be_replayed_is_said(replayed, error):
    assert replayed(error).note.startswith("The world cannot be replayed: ")


def test_only_two_replays_run_at_once(replayed):
    with module._AT_ONCE, module._AT_ONCE, pytest.raises(UserError, match="being replayed"):
        replayed(Scripted(states({}, {}, {}), [None, {}]))
    assert replayed(Scripted(states({}, {}, {}), [None, {}])).calls
