"""The stage `task` reads strict answers, and says what contradicts the world."""

import json

import pytest

from gem_tasks import prompts
from gem_tasks.domain.outcome import Accepted, Malformed
from gem_tasks.prompts import sections
from gem_tasks.stages.task import WriteTasks
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.scenario import Fault
from gem_tasks.worlds.steps import Call, Deed, Turn
from gem_tasks.worlds.task import Tasks
from gem_tasks.worlds.world import Tool, World
from tests.factories import TOOLS, make_record

STATE = {
    "now": "2026-05-04T08:00:00Z",
    "loans": {"L-7": {"due": "2026-04-30", "reader": "ada@example.org"}},
    "open": True,
}
BUILT = Built(
    world=World(state=STATE, code="// code", tools=tuple(Tool(name=t.name, parameters=t.parameters) for t in TOOLS))
)
VARIANTS = [
    {
        "name": "plain",
        "reference": [
            {"turn": "hello"}, {"call": {"name": "get_loan", "arguments": {"loan_id": "L-7"}}}, {"deed": "signs"},
            {"call": {"name": "renew_loan", "arguments": {"loan_id": "$1.id"}}},
        ],
    },
    {
        "name": "lost", "ending": "impossible", "faults": [{"tool": "renew_loan", "kind": "timeout"}],
        "events": {"late": {"trigger": {"tool": "get_loan"}, "code": "state.open = false;"}},
        "reference": [{"turn": "hello"}, {"call": {"name": "get_loan", "arguments": {"loan_id": "L-7"}}}],
    },
]  # fmt: skip
ANSWER = f"""<task><title>Renew a loan</title><system>You renew loans.</system>
<persona>Ada, ada@example.org, has loan L-7, due 2026-04-30.</persona>
<wishes>[{{"text": "Wants the loan renewed", "reveal": "first"}}]</wishes><knows>["The title"]</knows>
<deeds>{{"signs": {{"words": "I signed", "code": "state.open = true;"}}}}</deeds>
<outcome>{{"tables": ["loans"], "volatile": ["due"]}}</outcome>
<conditions>[{{"kind": "after", "tool": "renew_loan", "other": "get_loan"}}]</conditions>
<variants>{json.dumps(VARIANTS)}</variants></task>"""


def record():
    return make_record().with_output("world", BUILT)


def parse(text):
    return WriteTasks().parse(text, record())


def test_a_task_is_read_with_its_variants():
    second = ANSWER.replace("<system>You renew loans.</system>", "").replace("Renew a loan", "Another")
    found = parse(f"<think>x</think>{ANSWER}\n{second}")
    assert isinstance(found, Accepted)
    assert found.measures == {"tasks": 2, "refused": 0, "mutants": 0}
    task, other = Tasks.model_validate_json(found.payload).tasks
    assert (other.title, other.system) == ("Another", "You renew loans.")
    plain, lost = task.variants
    assert plain.reference == (
        Turn(), Call(name="get_loan", arguments={"loan_id": "L-7"}), Deed(name="signs"),
        Call(name="renew_loan", arguments={"loan_id": "$1.id"}),
    )  # fmt: skip
    assert set(plain.scenario.events) == {"signs"}
    assert lost.scenario.faults == (Fault(tool="renew_loan", kind="timeout"),)
    assert lost.scenario.events["late"].trigger.when == "after"
    assert (task.tables, task.volatile, task.deeds) == (("loans",), ("due",), {"signs": "I signed"})


WRONG = [
    ('"reveal": "first"', '"reveal": "later"', "the first of <wishes> has"),
    ("Wants the loan", "renew_loan it", "persona and wishes must not name tools, as renew_loan in 'renew_loan it"),
    ('["loans"]', '["readers"]', "<outcome> names a table that does not exist: readers"),
    ('"other": "get_loan"', '"other": "gets"', "<conditions> names a tool that does not exist: gets"),
    ('"kind": "after"', '"kind": "before"', "<conditions>: 0.kind: Input should be 'confirmed', 'after', 'never' or"),
    ('{"deed": "signs"}', '{"deed": "sings"}', "variant plain: reference names a deed that does not exist: sings"),
    ("$1.id", "$2.id", "variant plain: call 2 of its reference uses the result of call 2, which comes no earlier"),
    ('{"turn": "hello"}, {', '{"deed": "signs"}, {', "variant plain: its reference must begin with a turn"),
    ('{"tool": "get_loan"}', '{"tool": "x"}', "variant lost: events names a tool that does not exist: x"),
    ('{"tool": "get_loan"}', "{}", "<variants>: 1.events.late.trigger: Value error, a trigger has either"),
    ("ada@example.org,", "eve@example.org,", "<persona> names eve@example.org, which the state does not have"),
    ("loan L-7", "loan L-9", "<persona> names L-9, which the state does not have"),
    ("due 2026-04-30", "due 2026-04-29", "<persona> names 2026-04-29, which the state does not have"),
    ("You renew loans.", "", "<system> is missing, in the first task too"),
    ('"name": "lost"', '"name": "plain"', "two variants are called plain"),
    ('"late"', '"signs"', "variant lost: the event signs has the name of a deed"),
    (json.dumps(VARIANTS), json.dumps(VARIANTS[:1]), "<variants> has 1 variants; write two or three"),
    (json.dumps(VARIANTS), json.dumps([VARIANTS[0], VARIANTS[0] | {"name": "b"}]),
     "two variants have the same events"),
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
    assert parse("no") == Malformed(complaint="expected at least one <task>…</task>")


def test_a_future_date_and_an_ordinary_word_are_no_facts_of_the_state():
    found = parse(ANSWER.replace("due 2026-04-30", "back on 2027-01-01, well-read, B-12"))
    assert isinstance(found, Accepted)


def test_the_request_holds_the_world_and_what_was_drawn():
    system, user = WriteTasks().request(record(), prompts.load("task"))
    assert system.content == prompts.load("task").text
    assert list(sections(user.content)) == ["tools", "workflow", "state", "code", "plans", "text"]
    assert json.loads(sections(user.content)["state"]) == STATE
    assert sections(user.content)["plans"].count("- Plot: ") == 3


def test_the_prompt_asks_for_what_is_read():
    text = prompts.load("task").text
    assert [tag for tag in WriteTasks.asks_for if tag not in text] == []
