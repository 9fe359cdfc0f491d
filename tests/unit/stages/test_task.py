"""The stage `task` reads strict answers, and says what contradicts the world."""

import json

import pytest

from gem_tasks import prompts
from gem_tasks.domain.outcome import Accepted, Malformed
from gem_tasks.prompts import sections
from gem_tasks.stages.task import WriteTasks
from gem_tasks.worlds.scenario import Fault
from gem_tasks.worlds.steps import Call, Deed, Turn
from gem_tasks.worlds.task import Tasks
from tests.library_tasks import ANSWER, LIBRARY, VARIANTS, record


def parse(text):
    return WriteTasks().parse(text, record())


def test_a_task_is_read_with_its_variants():
    second = ANSWER.replace("<system>You renew loans.</system>", "").replace("Renew a loan", "Another")
    found = parse(f"<think>x</think>{ANSWER}\n{second}")
    assert isinstance(found, Accepted)
    assert found.measures == {"tasks": 2, "refused": 0, "mutants": 0, "notes": 0}
    task, other = Tasks.model_validate_json(found.payload).tasks
    assert (other.title, other.system) == ("Another", "You renew loans.")
    plain, used = task.variants
    assert plain.reference == (
        Turn(), Call(name="get_loan", arguments={"loan_id": "L-7"}), Deed(name="signs"), Turn(),
        Call(name="renew_loan", arguments={"loan_id": "$1.loan.id", "weeks": 2}),
    )  # fmt: skip
    assert set(plain.scenario.events) == {"signs"}
    assert used.scenario.faults == (Fault(tool="get_loan", kind="unavailable"),)
    assert used.scenario.events["late"].trigger.when == "after"
    assert (task.tables, task.volatile, task.deeds) == (("loans",), ("due",), {"signs": "I signed"})


WRONG = [
    ('"reveal": "first"', '"reveal": "later"', "the first of <wishes> has"),
    ('"reveal": "first"', '"reveal": "first when asked"', "the first of <wishes> has"),
    ("Wants the loan", "renew_loan it", "persona and wishes must not name tools, as renew_loan in 'renew_loan it"),
    ('["loans"]', '["books"]', "<outcome> names a table that does not exist: books"),
    ('"volatile": ["due"]', '"traces": ["loans"]', "<outcome> names loans among tables and traces"),
    ('"other": "get_loan"', '"other": "gets"', "<conditions> names a tool that does not exist: gets"),
    ('"kind": "after"', '"kind": "before"', "<conditions>: 0.kind: Input should be 'confirmed', 'after', 'never' or"),
    ('{"deed": "signs"}', '{"deed": "sings"}', "variant plain: reference names a deed that does not exist: sings"),
    ("$1.loan.id", "$2.loan.id", "variant plain: call 2 of its reference uses the result of call 2, which"),
    ('{"turn": "hello"}, {', '{', "variant plain: its reference must begin with a turn"),
    ('{"tool": "get_loan"}', '{"tool": "x"}', "variant used up: events names a tool that does not exist: x"),
    ('{"tool": "get_loan"}', "{}", "<variants>: 1.events.late.trigger: Value error, a trigger has either"),
    ("ada@example.org,", "eve@example.org,", "<persona> names eve@example.org, which the state does not have"),
    ("loan L-7", "loan L-99", "<persona> names L-99, which the state does not have"),
    ("since 2019-04-30", "since 2019-04-29", "<persona> names 2019-04-29, which the state does not have"),
    ("You renew loans.", "", "<system> is missing, in the first task too"),
    ('"name": "used up"', '"name": "plain"', "two variants are called plain"),
    ('"late"', '"signs"', "variant used up: the event signs has the name of a deed"),
    (json.dumps(VARIANTS), json.dumps(VARIANTS[:1]), "<variants> has 1 variants; write two or three"),
    (json.dumps(VARIANTS), json.dumps([VARIANTS[0], VARIANTS[0] | {"name": "b"}]),
     "two variants have the same events"),
    ('{"turn": "hello"}, ', '{"turn": "hello"}, ' * 26, "variant plain: its reference has more than 25 mess"),
    (json.dumps(VARIANTS), "[", "<variants> is not valid JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "complaint"), WRONG)
def test_an_answer_that_contradicts_the_world_or_itself_is_malformed(old, new, complaint):
    assert old in ANSWER
    found = parse(ANSWER.replace(old, new))
    assert isinstance(found, Malformed)
    assert found.complaint.startswith(f"task 1: {complaint}")


def test_an_answer_that_breaks_off_is_malformed():
    assert parse(ANSWER.removesuffix("</task>")) == Malformed(complaint="<task> is not closed by </task>")
    assert parse(ANSWER * 7) == Malformed(complaint="found 7 tasks; write one for each plan")
    deep = ANSWER.replace('"weeks": 2', '"weeks": ' + '{"a": ' * 900 + "1" + "}" * 900)
    assert parse(deep).complaint.startswith("it cannot be used: ")
    assert parse("no") == Malformed(complaint="expected at least one <task>…</task>")


def test_a_future_date_and_an_ordinary_word_are_no_facts_of_the_state():
    found = parse(ANSWER.replace("since 2019-04-30", "back on 2027-01-01, well-read, B-12"))
    assert isinstance(found, Accepted)


def test_the_first_wish_may_come_first_in_part():
    assert isinstance(parse(ANSWER.replace('"reveal": "first"', '"reveal": "first, without the weeks"')), Accepted)


def test_the_request_holds_the_world_and_what_was_drawn():
    system, user = WriteTasks().request(record(), prompts.load("task"))
    assert system.content == prompts.load("task").text
    assert list(sections(user.content)) == ["tools", "workflow", "state", "code", "plans", "text"]
    assert json.loads(sections(user.content)["state"]) == LIBRARY
    assert sections(user.content)["plans"].count("- Plot: ") == 3


def test_the_prompt_asks_for_what_is_read():
    text = prompts.load("task").text
    assert [tag for tag in WriteTasks.asks_for if tag not in text] == []
