"""What results say about records: the false alarm is gone, and the true fault beside it is still found."""

import json

import pytest

from gem_tasks.checks import realism
from gem_tasks.checks.reading.case import Case
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from tests.factories import say


class Talk:
    """A conversation in the making."""

    def __init__(self):
        self.messages = [say("system", "You keep the books of a boat hire."), say("user", "Please look.")]
        self.calls = 0

    def ask(self, name, answer, **arguments):
        self.calls += 1
        made = ToolCall(id=f"call_{self.calls}", name=name, arguments=arguments)
        told = answer if isinstance(answer, str) else json.dumps(answer)
        self.messages += [
            Message(role="assistant", tool_calls=(made,)),
            Message(role="tool", content=told, tool_call_id=made.id),
        ]
        return self

    def say(self, *turns):
        roles = ["assistant", "user"] if self.messages[-1].role == "tool" else ["user", "assistant"]
        self.messages += [say(roles[at % 2], text) for at, text in enumerate(turns)]
        return self

    @property
    def found(self):
        messages = (*self.messages, say("assistant", "That is all."))
        case = Case(Trajectory(tools=(), messages=messages))
        return [(each.kind, str(each.severity), each.json_path) for each in realism.check(case)]


def boat(**more):
    return {"boat_id": "B-12", "name": "Heron", **more}


def test_a_name_that_changes_by_itself_is_opened():
    talk = Talk().ask("get_boat", boat(), boat_id="B-12").say("That is the Heron.", "And its berth?")
    talk.ask("get_boat", boat(name="Ingrid Falk"), boat_id="B-12")
    assert talk.found == [("changed", "open", "$.name")]


def test_a_change_that_somebody_speaks_of_is_none():
    talk = Talk().ask("get_boat", boat(skipper="Nora Lund"), boat_id="B-12")
    talk.say("Nora Lund sails it.", "I have given it to Petra now, have another look.")
    talk.ask("get_boat", boat(skipper="Petra Aas"), boat_id="B-12")
    assert talk.found == []


@pytest.mark.parametrize("later", [{}, {"mooring_no": "M-4"}], ids=["the same", "and more"])
def test_the_total_of_another_filter_is_another_total(later):
    talk = Talk().ask("list_trips", {"boat_id": "B-12", "trips": [{"trip_id": "T-1"}], "total": 1}, boat_id="B-12")
    trips = [{"trip_id": "T-1"}, {"trip_id": "T-2"}]
    talk.ask("list_trips", {"boat_id": "B-12", "trips": trips, "total": 2, **later}, boat_id="B-12", year=2024)
    assert talk.found == []


def test_what_depends_on_an_argument_belongs_to_that_argument():
    def price(day, rate):
        return {"boat_id": "B-12", "day_rate": rate, "season": day[:4]}

    other_day = Talk().ask("preview_price", price("2025-03-01", 80), boat_id="B-12", day="2025-03-01")
    other_day.ask("preview_price", price("2025-07-01", 120), boat_id="B-12", day="2025-07-01")
    assert other_day.found == []
    same_day = Talk().ask("preview_price", price("2025-03-01", 80), boat_id="B-12", day="2025-03-01")
    same_day.ask("preview_price", price("2025-03-01", 120), boat_id="B-12", day="2025-03-01")
    assert same_day.found == [("changed", "open", "$.day_rate")]


def test_an_echoed_argument_is_no_fact():
    talk = Talk().ask("get_page", {"boat_id": "B-12", "bullet": 1, "text": "a"}, boat_id="B-12", bullet=1)
    talk.ask("get_page", {"boat_id": "B-12", "bullet": 2, "text": "b"}, boat_id="B-12", bullet=2)
    assert talk.found == []


def line(number, **more):
    return {"line_number": number, "account_number": "A-77", **more}


def test_rows_of_one_parent_are_different_records():
    rows = [line(1, purpose="sail cloth"), line(2, purpose="varnish")]
    talk = (
        Talk().ask("list_lines", {"lines": rows}, batch="REPAIR").ask("list_lines", {"lines": rows[1:]}, batch="REPAIR")
    )
    assert talk.found == []
    talk.ask("list_lines", {"lines": [line(2, purpose="champagne")]}, batch="REPAIR")
    assert talk.found == [("changed", "open", "$.lines[0].purpose")]


def test_services_of_two_agents_may_have_one_code():
    def services(agent, days):
        return {"agent_code": agent, "services": [{"service_code": "EXPRESS", "days": days}]}

    talk = Talk().ask("list_services", services("NORD", 1), agent_code="NORD")
    talk.ask("list_services", services("SUD", 3), agent_code="SUD")
    assert talk.found == []
    talk.ask("list_services", services("NORD", 9), agent_code="NORD")
    assert talk.found == [("changed", "open", "$.services[0].days")]


def test_a_write_that_a_later_look_does_not_show_is_opened():
    talk = Talk().ask("update_boat", boat(berth="K4"), boat_id="B-12", berth="K4")
    talk.say("It lies at K4.", "Read it back, please.").ask("get_boat", boat(berth="Z9"), boat_id="B-12")
    assert talk.found == [("write_lost", "open", "$.berth")]


def test_what_another_line_was_given_is_not_lost():
    talk = Talk().ask("create_line", line(1, purpose="sail cloth"), account_number="A-77", purpose="sail cloth")
    talk.ask("create_line", line(2, purpose="varnish"), account_number="A-77", purpose="varnish")
    both = [line(1, purpose="sail cloth"), line(2, purpose="varnish")]
    talk.ask("list_lines", {"lines": both}, account_number="A-77")
    assert talk.found == []


def test_an_import_writes_what_it_does_not_name():
    talk = Talk().ask("get_boat", boat(), boat_id="B-12").ask("import_fleet", {"import_id": "I-1"}, file_id="F-3")
    talk.ask("get_boat", boat(name="Grey Heron II"), boat_id="B-12")
    assert talk.found == []


def test_a_write_to_something_connected_may_move_a_state_but_not_a_name():
    def look(talk, **more):
        return talk.ask("get_boat", boat(skipper_id="S-1", **more), boat_id="B-12")

    talk = look(Talk(), status="free").ask("create_trip", {"trip_id": "T-5", "skipper_id": "S-1"}, skipper_id="S-1")
    assert look(talk, status="booked").found == []
    talk = look(Talk()).ask("create_trip", {"trip_id": "T-5", "skipper_id": "S-1"}, skipper_id="S-1")
    assert look(talk, name="Ingrid Falk").found == [("changed", "open", "$.name")]


def test_the_same_question_asked_twice_at_once_proves_a_contradiction():
    talk = Talk().ask("get_boat", boat(), boat_id="B-12").ask("get_boat", boat(name="Ingrid Falk"), boat_id="B-12")
    assert talk.found == [("changed_at_once", "error", "$.name")]


def test_a_write_between_even_one_that_failed_may_have_changed_it():
    talk = (
        Talk()
        .ask("get_boat", boat(), boat_id="B-12")
        .ask("update_boat", {"error": {"code": "CHANGED"}}, boat_id="B-12")
    )
    assert talk.ask("get_boat", boat(name="Ingrid Falk"), boat_id="B-12").found == [("changed", "open", "$.name")]


@pytest.mark.parametrize("field", ["status", "phase", "progress", "assigned_owner"])
def test_what_moves_while_one_waits_proves_nothing(field):
    talk = Talk().ask("get_job", {"job_id": "J-1", field: "started"}, job_id="J-1")
    talk.ask("get_job", {"job_id": "J-1", field: "finished"}, job_id="J-1")
    assert all(severity != "error" for _, severity, _ in talk.found)
    talk.say("It has finished.")
    assert talk.found == []


@pytest.mark.parametrize(
    ("tool", "answer", "found"),
    [
        ("get_boat", {"boat_id": "B-77"}, [("other_thing", "error", "$.boat_id")]),
        ("regenerate_boat", {"boat_id": "B-77"}, [("other_result", "open", "$.boat_id")]),
        ("get_next_boat", {"boat_id": "B-77"}, [("other_result", "open", "$.boat_id")]),
        ("get_boat", {"boat_id": "B-77", "replaces": "B-12"}, []),
        ("get_boat", {"boat_id": "FLEET-B-12"}, []),
    ],
)
def test_only_a_plain_look_that_answers_about_another_thing_is_an_error(tool, answer, found):
    assert Talk().ask(tool, answer, boat_id="B-12").found == found


def test_me_is_a_name_of_somebody():
    assert Talk().ask("get_user", {"user_id": "U-3"}, user_id="me").found == [("other_result", "open", "$.user_id")]


def test_an_answer_that_is_no_json_stands_out_only_where_others_are():
    prose = Talk().ask("read_log", "All quiet.").ask("read_log", "A gale at four.").ask("get_boat", boat())
    assert prose.found == []
    odd = Talk().ask("get_boat", boat(), boat_id="B-12").ask("get_boat", boat()).ask("get_boat", "All quiet.")
    assert odd.found == [("not_json", "error", "")]


def test_a_write_that_echoes_something_else_is_opened():
    talk = Talk().ask("update_boat", boat(berth="Z9"), boat_id="B-12", berth="K4")
    assert ("echo", "open", "$.berth") in talk.found


@pytest.mark.parametrize(
    ("key", "ident"), [("device_id", "sdb"), ("request_id", "LV-7301"), ("profile_id", "guest-wifi")]
)
def test_a_record_is_known_by_any_word_under_a_name_that_ends_in_id(key, ident):
    """Without a digit, or as a `request_id`, which elsewhere only numbers the answer."""
    talk = Talk().ask("get_entry", {key: ident, "owner": "Nora Lund", "state": "ready"}, **{key: ident})
    talk.say("It is ready.", "And who owns it?")
    talk.ask("get_entry", {key: ident, "owner": "Ingrid Falk", "state": "ready"}, **{key: ident})
    assert talk.found == [("changed", "open", "$.owner")]


def test_a_request_id_that_numbers_the_answer_is_no_record():
    talk = (
        Talk().ask("get_boat", {"request_id": "req-81", **boat()}, boat_id="B-12").say("The Heron.", "And its berth?")
    )
    talk.ask("get_boat", {"request_id": "req-94", **boat(name="Ingrid Falk")}, boat_id="B-12")
    assert talk.found == [("changed", "open", "$.name")]
