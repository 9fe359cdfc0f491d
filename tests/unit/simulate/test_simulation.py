"""Conversations between scripted models, over a world in Python."""

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from gem_tasks.domain.chat import Completion, FunctionCall, Usage
from gem_tasks.domain.trajectory import ToolCall
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.pipeline.journal.journal import Journal, JournaledClient
from gem_tasks.simulate.scene import Caps
from gem_tasks.store.local import LocalStore
from gem_tasks.worlds.played import Played
from gem_tasks.worlds.steps import Call, Deed, Finding, Turn
from tests.unit.simulate.shop import CANCEL, FIND, Shop, Verdict, begun


def said(answer):
    usage = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=2)
    if isinstance(answer, Completion):
        return answer
    return Completion(text=answer, finish_reason="stop", usage=usage)


def play(simulation, *answers):
    """Answers in order, whoever is asked; returns the requests and who was asked."""
    requests = []
    for answer in answers:
        assert simulation.request, f"ended before {answer!r}: {simulation.outcome}"
        requests.append((simulation.role, simulation.request))
        simulation.answered(said(answer))
    return requests


def played(simulation):
    return Played.model_validate_json(simulation.outcome.payload)


def test_a_conversation_is_played_in_the_world():
    shop = Shop()
    simulation = begun(shop)
    play(
        simulation,
        "My lamp. Cancel it.",
        f"I look. {FIND}",
        f"{CANCEL}{FIND}",
        "Cancelled.",
        "<deed>rings</deed>I rang the shop. <stop>",
        "Good.",
    )
    assert (simulation.request, simulation.outcome.kind) == (None, "accepted")
    got = played(simulation)
    assert [message.role for message in got.messages] == [
        "system", "user", "assistant", "tool", "assistant", "tool", "tool", "assistant", "user", "assistant"
    ]  # fmt: skip
    assert got.messages[2].content == "I look."
    assert got.messages[4].tool_calls == (
        ToolCall(id="call_2", name="cancel_order", arguments={"id": "o-1"}),
        ToolCall(id="call_3", name="find_order", arguments={"what": "lamp"}),
    )
    assert got.messages[6].content == '{"ok": true}'
    assert got.messages[8].content == "I rang the shop."
    find, cancel = Call(name="find_order", arguments={"what": "lamp"}), Call(
        name="cancel_order", arguments={"id": "o-1"}
    )  # fmt: skip
    assert list(got.execution.steps) == shop.steps == [Turn(), find, cancel, find, Deed(name="rings"), Turn()]
    assert (got.execution.world, got.execution.task, got.execution.variant) == ("w", 2, "plain")
    measures = simulation.outcome.measures
    assert (measures["calls"], measures["turns"], measures["attempt"]) == (3, 2, 1)
    assert measures["tokens"]["user"] == {"prompt_tokens": 20, "cached_tokens": 8, "completion_tokens": 4}


def test_contexts_are_separate_and_grow_only_at_their_end():
    simulation = begun()
    asked = play(simulation, "Cancel my lamp.", f"A moment. {FIND}", CANCEL, "Done.", "<stop>")
    users = [request for role, request in asked if role == "user"]
    assistants = [request for role, request in asked if role == "assistant"]
    for before, after in pairwise(users):
        assert after.messages[: len(before.messages)] == before.messages
    for before, after in pairwise(assistants):
        assert after.messages[: len(before.messages)] == before.messages
    heard = "\n".join(message.content for message in users[-1].messages[2:])
    assert heard == "Cancel my lamp.\nA moment.\n\nDone."
    briefing = users[0].messages[1].content
    assert "red lamp" in briefing and "rings: You ring the shop." in briefing and "find_order" not in briefing
    seen = "\n".join(message.content for message in assistants[-1].messages)
    assert "red lamp" not in seen and "plain" not in seen and "rings" not in seen
    assert seen.startswith("You cancel orders.") and '"find_order"' in seen and "<tool>\n" in seen


def test_native_calls_go_to_an_endpoint_in_its_form():
    simulation = begun(native=True)
    call = FunctionCall(id="abc", name="find_order", arguments='{"what": "lamp"}')
    called = Completion(text="", finish_reason="tool_calls", tool_calls=(call,))
    asked = play(simulation, "Cancel my lamp.", called, "Done.", "<stop>")
    first, second = (request for role, request in asked if role == "assistant")
    assert first.messages[0].content == "You cancel orders."
    assert first.to_openai()["tools"][0]["function"]["name"] == "find_order"
    assert second.to_openai()["messages"][2:] == [
        {"role": "assistant", "content": "", "tool_calls": [call.to_openai()]},
        {"role": "tool", "content": '{"ok": true}', "tool_call_id": "abc"},
    ]
    assert played(simulation).messages[2].tool_calls[0].id == "call_1"


def test_a_malformed_call_gets_an_error_and_is_no_part_of_the_conversation():
    simulation = begun(native=True)
    bad = FunctionCall(id="", name="find_order", arguments='{"what": ')
    shop = simulation._world
    play(simulation, "Cancel.", Completion(text="", finish_reason="tool_calls", tool_calls=(bad, bad)))
    echoed, first, second = simulation.request.messages[-3:]
    assert [call.arguments for call in echoed.tool_calls] == ["{}", "{}"]
    assert [first.tool_call_id, second.tool_call_id] == [call.id for call in echoed.tool_calls]
    assert len({call.id for call in echoed.tool_calls}) == 2
    assert '"error"' in first.content and "not valid JSON" in first.content
    play(simulation, '<func>{"name": "find_order", "arguments": [1]}</func>', FIND, "Done.", "<stop>")
    assert [type(step) for step in shop.steps] == [Turn, Call]
    assert [message.role for message in played(simulation).messages] == [
        "system", "user", "assistant", "tool", "assistant"
    ]  # fmt: skip
    assert simulation.outcome.cost.faults == {ErrorClass.MALFORMED: 2}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "empty"),
        ("<assistant>I have done it.</assistant> <func>{}</func>", "You are the user"),
        ("<deed>sings</deed> I sang.", "no deed 'sings' left. Your deeds: rings"),
        ("<deed>rings</deed>", "needs a message"),
        ("<deed>rings I rang.", "You are the user"),
        (Completion(text="I want", finish_reason="length"), "cut off"),
        ("<think>What would Ada say", "You are the user"),
    ],
)
def test_an_odd_user_is_told_so(words, complaint):
    simulation = begun()
    play(simulation, words)
    assert simulation.role == "user"
    assert complaint in simulation.request.messages[-1].content
    play(simulation, words)
    play(simulation, words)
    assert (simulation.outcome.kind, simulation.outcome.reason) == ("rejected", "user_unreadable")


def test_a_call_of_the_user_is_not_repeated_to_an_endpoint_without_tools():
    simulation = begun()
    call = FunctionCall(id="a", name="find_order", arguments="{}")
    play(simulation, Completion(text="I do it.", finish_reason="tool_calls", tool_calls=(call,)))
    assert [message.to_openai() for message in simulation.request.messages[2:]] == [
        {"role": "assistant", "content": "I do it."},
        {
            "role": "user",
            "content": "[form] Your message contains a call. You are the user: write only what the user says.",
        },
    ]


def test_thoughts_and_tags_around_the_whole_are_taken_off():
    simulation = begun()
    play(simulation, "<think>Hm.</think>\n<user>Cancel it.</user>", "<think>x</think><assistant>Done.</assistant>")
    play(simulation, "<stop/>")
    assert [message.content for message in played(simulation).messages[1:]] == ["Cancel it.", "Done."]


def test_a_deed_happens_once():
    simulation = begun()
    play(simulation, "<deed>rings</deed> I rang.", "And?", "<deed>rings</deed> Again.")
    assert "Your deeds: none" in simulation.request.messages[-1].content


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("Done. <tool>{}</tool>", "<tool>"),
        ('<func>{"name": "find_order", "arguments": {</func>', "not valid JSON"),
        ("  ", "empty"),
        ("<func>{", "<func>"),
    ],
)
def test_an_odd_assistant_is_told_so(answer, complaint):
    simulation = begun()
    play(simulation, "Cancel.", answer)
    assert simulation.role == "assistant"
    assert complaint in simulation.request.messages[-1].content
    play(simulation, answer, answer)
    assert (simulation.outcome.kind, simulation.outcome.reason) == ("rejected", "assistant_unreadable")


def test_a_missed_goal_is_kept_as_a_negative():
    simulation = begun(verdict=Verdict(False, ("orders: o-1 is open",)))
    play(simulation, "Cancel.", "Done.", "<stop>")
    outcome = simulation.outcome
    assert (outcome.kind, outcome.reason, outcome.detail) == ("rejected", "goal_missed", "orders: o-1 is open")
    assert (played(simulation).execution.reached, played(simulation).execution.reasons) == (
        False, ("orders: o-1 is open",)
    )  # fmt: skip


def reason_after(simulation, *answers):
    play(simulation, *answers)
    return simulation.outcome.reason


def test_endless_conversations_end_with_a_reason():
    assert reason_after(begun(), "<stop>") == "user_gave_up"
    assert reason_after(begun(caps=Caps(calls=1)), "Cancel.", FIND, CANCEL) == "cap_calls"
    assert reason_after(begun(caps=Caps(turns=1)), "Cancel.", "No.", "Please.") == "cap_turns"
    assert reason_after(begun(caps=Caps(repeats=1)), "Cancel.", FIND, CANCEL, FIND) == "cap_repeats"
    loop = ("No.", "Please.") * 2
    assert reason_after(begun(caps=Caps(repeats=1)), "Cancel.", *loop) == "user_repeats"


def test_a_user_may_say_yes_to_one_question_after_the_other():
    simulation = begun(caps=Caps(repeats=1))
    play(simulation, "Cancel.", "The lamp?", "Yes.", "The red one?", "Yes.", "Now?", "Yes.", "Done.", "<stop>")
    assert simulation.outcome.kind == "accepted"


def test_hidden_characters_reach_neither_the_world_nor_the_conversation():
    simulation = begun(native=True)
    call = FunctionCall(id="a", name="find_order", arguments='{"what": "la\\u202emp"}')
    hidden = Completion(text="<think>x</think>I lo\u200bok.", finish_reason="tool_calls", tool_calls=(call,))
    requests = play(simulation, "<think>x</think>Can\u202ecel.", hidden, "Done.", "<stop>")
    assert simulation._world.steps[-1] == Call(name="find_order", arguments={"what": "lamp"})
    assert [message.content for message in played(simulation).messages[1:3]] == ["Cancel.", "I look."]
    assert [message.content for message in requests[-1][1].messages[2:]] == ["Cancel.", "I look.\n\nDone."]
    odd = begun(Shop())
    odd._world.result = {"name": "a\u202eb"}
    play(odd, "Cancel.", FIND)
    assert odd.outcome.reason == "world_fault"


def test_the_same_call_after_a_message_of_the_user_is_no_repetition():
    simulation = begun(caps=Caps(repeats=1))
    play(simulation, "Is it gone?", FIND, "No.", "And now?", FIND, "No.", "<stop>")
    assert simulation.outcome.kind == "accepted"


@pytest.mark.parametrize(("fault_of", "reason"), [("scenario", "task_fault"), ("world", "world_fault")])
def test_code_at_fault_ends_the_conversation(fault_of, reason):
    shop = Shop(findings=(Finding(reason="threw", detail="x is undefined", where="x", fault_of=fault_of),))
    assert reason_after(begun(shop), "Cancel.") == reason


def test_a_value_that_the_world_did_not_refuse_is_no_fault_of_the_conversation():
    simulation = begun(Shop(findings=(Finding(reason="unenforced", detail="too long", where="find_order"),)))
    play(simulation, "Cancel.", FIND, "Done.", "<stop>")
    assert simulation.outcome.kind == "accepted"


def test_faults_of_the_endpoint_are_recorded_or_raised():
    simulation = begun()
    simulation.failed(EndpointError(ErrorClass.TIMEOUT, "slow"))
    assert (simulation.outcome.kind, simulation.outcome.error_class) == ("failed", ErrorClass.TIMEOUT)
    with pytest.raises(EndpointError):
        begun().failed(EndpointError(ErrorClass.AUTH, "wrong key"))
    refused = begun()
    play(refused, Completion(text="I can't.", finish_reason="content_filter"))
    assert refused.outcome.error_class is ErrorClass.REFUSED


def test_attempts_ask_with_the_same_words_for_separate_answers():
    one, other = begun().request, begun(attempt=2).request
    assert (one.body, one.key == other.key) == (other.body, False)
    assert begun().request.key == one.key


def test_words_copied_from_the_task_and_leaks_are_measured():
    simulation = begun()
    play(
        simulation,
        "The order of the red lamp, cancel it with cancel_order, number A-4711.",
        "Which one? Not B-1200?",
        "No, not B-1200.",
        "Fine.",
        "<stop>",
    )
    measures = simulation.outcome.measures
    assert measures["leaks"] == ["message 1: tool cancel_order", "message 1: code A-4711"]
    assert measures["copied"] == round(3 / 11, 3)


class Scripted:
    """A client whose models say these things, one after the other, and is then interrupted."""

    def __init__(self, *lines):
        self.lines = list(lines)

    async def complete(self, request):
        if not self.lines:
            raise InterruptedError
        return said(self.lines.pop(0))


async def journaled(folder, attempt, *lines):
    """Plays with the answers of a journal, then with these; `(the conversation, answers from the journal)`."""
    journal = Journal(folder / "journal", LocalStore(folder / "store"), "journal/", 60)
    journal.load()
    simulation, client = begun(attempt=attempt), JournaledClient(Scripted(*lines), journal)
    async with journal:
        with suppress(InterruptedError):
            while simulation.request:
                simulation.answered(await client.complete(simulation.request))
    return simulation, client.replayed


def test_an_interrupted_conversation_continues_from_the_journal(tmp_path):
    talk = ["Cancel.", f"A moment. {FIND}", "Done.", "<stop>"]
    half, replayed = asyncio.run(journaled(tmp_path, 1, *talk[:2]))
    assert (half.outcome, half.role, replayed) == (None, "assistant", 0)
    whole, replayed = asyncio.run(journaled(tmp_path, 1, *talk[2:]))
    assert (whole.outcome.kind, replayed) == ("accepted", 2)
    straight = begun()
    play(straight, *talk)
    assert whole.outcome == straight.outcome


def test_attempts_do_not_take_the_answers_of_each_other(tmp_path):
    asyncio.run(journaled(tmp_path, 1, "Cancel."))
    other, replayed = asyncio.run(journaled(tmp_path, 2, "My lamp.", "No."))
    assert (other._transcript.messages[1].content, replayed) == ("My lamp.", 0)
