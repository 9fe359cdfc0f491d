"""Worlds, tasks and players: the plan of a workflow runs in the world, and both players carry it out."""

import json

import pytest

from gem_tasks.prompts import Prompt
from gem_tasks.prompts.dialogue import render_tools
from gem_tasks.prompts.tags import blocks, one
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import opened
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.world import IdFormat, Tool, World
from offline_teacher import task, world
from offline_teacher.answers import answer
from offline_teacher.server import spoil
from offline_teacher.server.faults import Faults
from teacher_cases import ID, TOOLS, question, sections, tool

MADE = (
    *TOOLS,
    tool("create_fee", "Records a fee.", ["loan_id", "amount"], loan_id=ID, amount={"type": "number", "minimum": 1}),
    tool("cancel_fee", "Cancels a fee.", ["fee_id"], fee_id=ID),
)
REQUIRES = [{"tool": "close_loan", "after": "renew_loan"}, {"tool": "cancel_fee", "after": "create_fee"}]
TEXT = """Renew a loan at the desk. Renew the loan before you close it. A loan is renewed for at most 3 weeks."""
ASKED = sections(MADE, TEXT, requires=REQUIRES)
NAMES = [each.name for each in MADE]


@pytest.fixture(scope="module")
def written():
    return world.answer(ASKED, 5)


@pytest.fixture(scope="module")
def built(written):
    reads = json.loads(one(written, "reads"))
    assert reads == ["search_readers", "list_loans", "get_loan"]
    return World(
        state=json.loads(one(written, "state")),
        code=one(written, "code"),
        tools=tuple(Tool(name=each.name, parameters=each.parameters, reads=each.name in reads) for each in MADE),
        ids={name: IdFormat(**each) for name, each in json.loads(one(written, "ids")).items()},
    )


@pytest.fixture(scope="module")
def session(built):
    with opened(built, seed=3) as found:
        yield found


@pytest.fixture
def call(session):
    session.restart()

    def take(name, **arguments):
        taken = session.take([Call(name=name, arguments=arguments)])[0]
        assert not taken.findings
        return taken.result

    return take


def resolved(value, results):
    if isinstance(value, dict):
        return {name: resolved(part, results) for name, part in value.items()}
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    number, *path = value[1:].split(".")
    found = results[int(number) - 1]
    for step in path:
        found = found[int(step) if isinstance(found, list) else step]
    return found


def carried_out(calls, call):
    results = []
    for each in calls:
        results.append(call(each["name"], **resolved(each["arguments"], results)))
    return results


def test_the_run_calls_every_tool_and_every_call_succeeds(written, call):
    run = json.loads(one(written, "run"))
    assert sorted(each["name"] for each in run) == sorted(NAMES)
    results = carried_out(run, call)
    assert not [each for each in results if "error" in each]
    assert run[-1]["arguments"] == {"fee_id": "$6.fee_id"}


def test_limits_unknown_ids_and_the_order_are_enforced(call, built):
    loan = next(iter(built.state["loans"]))
    assert call("close_loan", loan_id=loan)["error"]["code"] == "PRECONDITION_FAILED"
    assert call("renew_loan", loan_id=loan, weeks=4, notice="email")["error"]["code"] == "INVALID_VALUE"
    assert call("renew_loan", loan_id=loan, weeks=3, notice="fax")["error"]["code"] == "INVALID_VALUE"
    assert call("renew_loan", loan_id="LO-0", weeks=3, notice="email")["error"]["code"] == "NOT_FOUND"
    assert call("renew_loan", loan_id=loan, weeks=3, notice="email")["details"] == {"weeks": 3, "notice": "email"}
    assert call("close_loan", loan_id=loan, returned_on="2026-02-30")["error"]["code"] == "INVALID_VALUE"
    assert call("close_loan", loan_id=loan)["status"] == "closed"


def test_ids_of_odd_kinds_are_no_ids():
    odd = tool("get_thing", "", ["id"], id={"type": "object", "properties": {}})
    made = world.answer(sections((odd,), actions=[], requires=[]), 1)
    assert json.loads(one(made, "run")) == [{"name": "get_thing", "arguments": {"id": {}}}]


def test_a_search_finds_some_records_and_a_second_cancellation_is_refused(call, built):
    reader = next(iter(built.state["readers"].values()))
    assert call("search_readers", query=reader["name"].upper())["readers"] == [reader]
    assert call("search_readers", query="nobody of this name")["total_count"] == 0
    fee = call("create_fee", loan_id=next(iter(built.state["loans"])), amount=2.5)
    assert call("cancel_fee", fee_id=fee["fee_id"])["status"] == "cancelled"
    assert call("cancel_fee", fee_id=fee["fee_id"])["error"]["code"] == "CONFLICT"


def test_a_rule_has_the_sentence_that_states_it(written):
    rules = {rule["text"]: rule["quote"] for rule in json.loads(one(written, "rules"))}
    assert rules == {
        "close_loan only after renew_loan.": "Renew the loan before you close it.",
        "cancel_fee only after create_fee.": None,
    }


@pytest.fixture(scope="module")
def parts():
    return blocks(task.answer(ASKED, 5), "task")[0]


def test_both_references_lead_to_the_same_tables(parts, built, session, call):
    usual, disturbed = json.loads(one(parts, "variants"))
    carried_out([step["call"] for step in usual["reference"] if "call" in step], call)
    reached = session.state.tables
    with opened(built, Scenario(faults=disturbed["faults"]), seed=3) as found:

        def take(name, **arguments):
            return found.take([Call(name=name, arguments=arguments)])[0].result

        results = carried_out([step["call"] for step in disturbed["reference"] if "call" in step], take)
        assert found.state.tables == reached
    assert [each["error"]["code"] for each in results if "error" in each] == ["UNAVAILABLE"]
    assert set(json.loads(one(parts, "outcome"))["tables"]) == set(reached) - {"now"}


def player(prompt, **briefing):
    return [(each.role, each.content) for each in Prompt(name="x", text=prompt).messages(**briefing)]


def test_the_user_says_one_wish_after_the_other_and_stops(parts):
    wishes = json.loads(one(parts, "wishes"))
    listed = "\n".join(f"{at}. {wish['text']}\n   When: {wish['reveal']}" for at, wish in enumerate(wishes, 1))
    messages = player("End with <stop>.", persona=one(parts, "persona"), wishes=listed)
    said = []
    while (words := answer(messages)) != "<stop>":
        said.append(words)
        messages += [("assistant", words), ("user", "Done.")]
    assert said == [wish["text"] for wish in wishes]
    assert answer([*messages[:2], ("assistant", said[0]), ("user", "Which one?")]) == "Yes, please."


def assistant(*messages):
    return [("system", f"You help.\n\nCalls: <func>{{}}</func>\n\n{render_tools(MADE)}"), *messages]


def test_the_assistant_calls_what_was_asked_with_ids_from_results():
    found = (
        '<tool>\n{"readers": [{"reader_id": "RE-1", "name": "Ida Park", "status": "open"}], "total_count": 1}\n</tool>'
    )
    messages = assistant(("user", 'Please search for readers.\n- query: "Park"'))
    first = answer(messages)
    assert first == '<func>{"name": "search_readers", "arguments": {"query": "Park"}}</func>'
    messages += [("assistant", first), ("user", found)]
    assert answer(messages) == "I found Ida Park (RE-1, open)."
    unnamed = '<tool>\n{"fee_id": "FE-1", "status": "open", "details": {"loan_id": "LO-1"}}\n</tool>'
    assert answer([*messages[:-1], ("user", unnamed)]) == "I found the reader (FE-1, open)."
    messages += [("assistant", answer(messages)), ("user", "Please list loans.")]
    assert answer(messages) == '<func>{"name": "list_loans", "arguments": {"reader_id": "RE-1"}}</func>'


def test_the_assistant_prefers_what_was_searched_to_what_was_listed():
    messages = assistant(
        ("user", "Please list loans."),
        ("assistant", '<func>{"name": "list_loans", "arguments": {"reader_id": "RE-1"}}</func>'),
        ("user", '<tool>\n{"loans": [{"loan_id": "LO-1", "reader_id": "RE-1"}]}\n</tool>'),
        ("assistant", "I found nothing."),
        ("user", 'Please search for readers.\n- query: "Park"'),
        ("assistant", '<func>{"name": "search_readers", "arguments": {"query": "Park"}}</func>'),
        ("user", '<tool>\n{"readers": [{"reader_id": "RE-2"}]}\n</tool>'),
        ("assistant", "I found nothing."),
        ("user", "Please list loans."),
    )
    assert answer(messages) == '<func>{"name": "list_loans", "arguments": {"reader_id": "RE-2"}}</func>'


def test_the_assistant_tries_once_more_then_says_that_it_failed():
    busy = '<tool>\n{"error": {"code": "UNAVAILABLE", "message": "503"}}\n</tool>'
    messages = assistant(("user", 'Please cancel the fee.\n- fee_id: "FE-1"'))
    call = answer(messages)
    messages += [("assistant", call), ("user", busy)]
    assert answer(messages).endswith(call)
    messages += [("assistant", answer(messages)), ("user", busy)]
    assert answer(messages) == "I could not cancel the fee: 503"


def test_the_assistant_says_what_it_can_do_if_it_does_not_understand():
    assert answer(assistant(("user", "Make me a coffee."))).startswith("I can search for readers, ")


def test_a_world_can_be_broken_on_demand_in_one_function(written):
    bent = Faults.asked({"rate_broken_world": "1"}, "", [("user", "x")]).after(written, 10**6).text
    before, after = written.splitlines(), bent.splitlines()
    (added,) = (line for line in after if line not in before)
    assert added.strip() in spoil._MISBEHAVIOUR and len(after) == len(before) + 1
    assert Faults.asked({"rate_broken_world": "1"}, "", []).after("<run>[]</run>", 99).text == "<run>[]</run>"


async def test_tools_in_the_form_of_an_endpoint_are_refused(serve):
    client = await serve()
    async with client.post("http://teacher/v1/chat/completions", json=question(tools=[{}])) as response:
        assert response.status == 400
        assert "`tools`" in (await response.json())["error"]["message"]
