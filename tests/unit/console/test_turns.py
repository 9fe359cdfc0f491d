"""A conversation on a page: answers folded into their calls, notes where they belong, nothing lost."""

from gem_tasks.console.turns import Note, talk
from tests.factories import call, make_trajectory, result, say


def note(detail):
    return Note(check="grounding", severity="open", detail=detail)


def test_an_answer_stands_in_its_call_with_its_notes():
    made = talk(make_trajectory(), {3: [note("at the answer")], 4: [note("at the words")]})
    assert [message.role for message in made.messages].count("tool") == 0
    (first, *_) = (message for message in made.messages if message.calls)
    (shown,) = first.calls
    assert (shown.name, shown.answer_index) == ("get_loan", 3)
    assert shown.answer == '{\n  "loan_id": "L-7",\n  "renewals": 1\n}'
    assert [each.detail for each in shown.notes] == ["at the answer"]
    assert [each.detail for message in made.messages for each in message.notes] == ["at the words"]


def test_an_answer_to_no_call_and_a_call_without_answer_are_shown():
    made = talk(make_trajectory(say("user"), call(1, "get_loan"), result(2, "no JSON")), {})
    assert [(message.index, message.role) for message in made.messages] == [(0, "user"), (1, "assistant"), (2, "tool")]
    assert made.messages[1].calls[0].answer is None
    assert made.messages[1].calls[0].answer_index is None
    assert made.messages[2].content == "no JSON"


def test_what_is_no_json_is_shown_as_it_is_and_uses_of_tools_are_counted():
    made = talk(make_trajectory(call(1, "get_loan"), result(1, "gone {"), call(2, "get_loan"), call(3, "other")), {})
    assert made.messages[0].calls[0].answer == "gone {"
    assert {tool.name: tool.uses for tool in made.tools} == {"get_loan": 2, "renew_loan": 0}


def test_a_thought_is_shown_apart_from_the_words():
    made = talk(make_trajectory(say("user"), say("assistant").model_copy(update={"reasoning": "Look."})), {})
    assert [(message.content, message.reasoning) for message in made.messages] == [("words", None), ("words", "Look.")]
