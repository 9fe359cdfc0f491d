"""The clock, events and faults around calls."""

import pytest
from pydantic import ValidationError

from gem_tasks.worlds.course import Course
from gem_tasks.worlds.scenario import Event, Fault, Scenario, Trigger, contains
from gem_tasks.worlds.steps import Call, Deed, Turn
from gem_tasks.worlds.world import Clock, Tool, World

ID = {"type": "object", "properties": {"id": {"type": "string", "maxLength": 5}}, "required": ["id"]}
WORLD = World(
    state={},
    code="",
    tools=(Tool(name="get", parameters=ID, reads=True), Tool(name="put", parameters=ID)),
    clock=Clock(per_call_s=3, per_turn_s=60),
)


def call(name="put", /, **arguments):
    return Call(name=name, arguments=arguments or {"id": "a"})


def kinds(planned):
    return [(each.kind, each.name or each.text) for each in planned.operations]


def test_the_clock_advances_per_call_and_per_turn():
    course = Course(WORLD, Scenario())
    assert kinds(course.plan(Turn())) == [("advance", "60")]
    assert kinds(course.plan(call("get"))) == [("advance", "3"), ("read", "get")]
    assert kinds(course.plan(call("put"))) == [("advance", "3"), ("write", "put")]


def test_an_event_happens_once_at_the_first_call_with_its_arguments():
    taken = Event(code="", trigger=Trigger(tool="put", when="before", arguments={"id": "b"}))
    course = Course(WORLD, Scenario(events={"taken": taken}))
    assert kinds(course.plan(call(id="a"))) == [("advance", "3"), ("write", "put")]
    assert kinds(course.plan(call(id="b"))) == [("advance", "3"), ("event", "taken"), ("write", "put")]
    assert kinds(course.plan(call(id="b"))) == [("advance", "3"), ("write", "put")]


def test_an_event_of_a_turn_waits_for_the_events_that_it_needs():
    done = Event(code="", trigger=Trigger(turn=2, needs=frozenset({"rings"})))
    course = Course(WORLD, Scenario(events={"done": done, "rings": Event(code="")}))
    course.plan(Turn())
    course.plan(Deed(name="rings"))
    assert kinds(course.plan(Turn())) == [("advance", "60"), ("event", "done")]
    course.restart()
    course.plan(Turn())
    assert kinds(course.plan(Turn())) == [("advance", "60")]


def test_a_timeout_is_carried_out_and_a_conflict_is_not():
    course = Course(WORLD, Scenario(faults=(Fault(tool="put", kind="timeout"), Fault(tool="put", kind="conflict"))))
    lost, conflict, good = (course.plan(call()) for _ in range(3))
    assert (kinds(lost)[-1], lost.told["error"]["code"]) == (("write", "put"), "TIMEOUT")
    assert (kinds(conflict), conflict.told["error"]["code"]) == ([("advance", "3")], "CONFLICT")
    assert (kinds(good)[-1], good.told) == (("write", "put"), None)


def test_a_fault_fails_as_often_as_it_says_and_only_with_its_arguments():
    course = Course(WORLD, Scenario(faults=(Fault(tool="put", kind="rate_limited", arguments={"id": "b"}, times=2),)))
    codes = [(course.plan(call(id=given)).told or {}).get("error", {}).get("code") for given in "abbb"]
    assert codes == [None, "RATE_LIMITED", "RATE_LIMITED", None]


def test_a_fault_of_so_many_seconds_ends_with_the_clock_or_after_its_times():
    def codes(**fault):
        course = Course(WORLD, Scenario(faults=(Fault(tool="put", kind="rate_limited", seconds=60, **fault),)))
        calls = [course.plan(call()) for _ in range(3)]
        course.plan(Turn())
        return [bool(each.told) for each in (*calls, course.plan(call()))]

    assert codes() == [True, True, True, False]
    assert codes(times=2) == [True, True, False, False]


def test_arguments_of_a_wrong_shape_never_reach_the_world():
    course = Course(WORLD, Scenario(events={"e": Event(code="", trigger=Trigger(tool="put"))}))
    for given in ({}, {"id": 1}, [], None, "x", {"id": float("nan")}):
        planned = course.plan(Call(name="put", arguments=given))
        assert (planned.operations, planned.told["error"]["code"]) == ((), "INVALID_ARGUMENTS"), given
    assert course.plan(call("other")).told == {"error": {"code": "UNKNOWN_TOOL", "message": "No tool other."}}
    assert ("event", "e") in kinds(course.plan(call("put")))


def test_a_value_beyond_a_limit_is_first_tried_in_the_world():
    planned = Course(WORLD, Scenario()).plan(call(id="too long"))
    assert (kinds(planned)[-1], planned.main) == (("probe", "put"), 1)
    assert planned.violation.message == 'id: "too long" is longer than 5 characters'


def test_unknown_deeds_and_events_with_a_trigger_are_no_deeds():
    course = Course(WORLD, Scenario(events={"e": Event(code="", trigger=Trigger(turn=1))}))
    for name in ("e", "f"):
        with pytest.raises(ValueError, match=f"no deed '{name}'"):
            course.plan(Deed(name=name))


def test_a_trigger_has_either_a_tool_or_a_turn():
    for given in ({}, {"tool": "put", "turn": 1}):
        with pytest.raises(ValidationError, match="either a tool or a turn"):
            Trigger(**given)


def test_wanted_arguments_are_a_part_of_the_given_ones():
    assert contains({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1}})
    for wanted in ({"a": {"b": True}}, {"a": 1}, {"e": None}):
        assert not contains({"a": {"b": 1}}, wanted)
