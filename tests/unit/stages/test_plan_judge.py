"""What a judge says a conversation is like: what can be read counts, and what cannot be so is named."""

import json

import pytest

from gem_tasks.domain.realised import Found
from gem_tasks.domain.trajectory import Message
from gem_tasks.plans import shipped
from gem_tasks.prompts import sections
from gem_tasks.prompts.tags import TagError
from gem_tasks.stages import plan_judge

MENUS = shipped()
MESSAGES = tuple(Message(role="user", content=f"{n}") for n in range(12))
FULL = {
    "choices": {menu: next(iter(options)) for menu, options in plan_judge.asked_menus(MENUS).items()},
    "patterns": dict.fromkeys(MENUS.patterns, 0),
}


def answer(choices=None, patterns=None):
    return {"choices": FULL["choices"] | (choices or {}), "patterns": FULL["patterns"] | (patterns or {})}


def read(given, tool_error=True):
    text = given if isinstance(given, str) else json.dumps(given)
    return plan_judge.parse(text, MENUS, MESSAGES, tool_error=tool_error)


def test_the_request_has_every_option_and_never_the_plan():
    system, user = plan_judge.request(MENUS, MESSAGES)
    parts = sections(user.content)
    assert list(parts) == ["menus", "conversation"]
    assert MENUS.patterns["guidance"].says in parts["menus"]
    assert "ending (Ending), one of:" in parts["menus"]
    assert "parallel_calls" not in parts["menus"], "code knows it"
    assert '<user number="11">' in parts["conversation"]
    assert '"choices"' in system.content


@pytest.mark.parametrize("wrap", ["{}", "<think>a {{b}} c</think>{}", "```json\n{}\n```", "Here you are:\n{}\nDone."])
def test_an_answer_is_read_from_what_models_write_around_it(wrap):
    text = wrap.replace("{{", "{").replace("}}", "}").replace("{}", json.dumps(answer({"temper": "Worried "})))
    assert read(text).choices["temper"] == "worried"


def test_what_cannot_be_so_is_unreadable_with_its_reason_and_the_rest_counts():
    given = answer(
        {"temper": "furious", "opening": ["greeting"], "look_alikes": True, "voice": "other"},
        {"guidance": 12, "clarification": "7", "limitation": True, "error_recovery": 5, "inference": -1},
    )
    del given["choices"]["register"], given["patterns"]["multi_hop"]
    found = read(given, tool_error=False)
    assert found.unreadable == {
        "temper": "'furious' is no option",
        "opening": "['greeting'] is no option",
        "register": "no answer",
        "guidance": "there is no message 12",
        "limitation": "True is no number of a message",
        "inference": "there is no message -1",
        "multi_hop": "no answer",
        "error_recovery": "message 5, but no result reports an error",
    }
    assert (found.choices["look_alikes"], found.choices["voice"]) == ("yes", "other")
    assert found.patterns["clarification"] == 7
    assert "temper" not in found.choices and "error_recovery" not in found.patterns
    assert read(given).patterns["error_recovery"] == 5


@pytest.mark.parametrize("text", ["", "I cannot.", "[]", '{"choices": []}', '{"choices": {}, "patterns": {}}', "{" * 9])
def test_an_answer_without_anything_to_read_is_refused_in_words_for_the_model(text):
    with pytest.raises(TagError):
        read(text)


def test_the_schema_takes_the_answer_that_the_parser_takes():
    schema = plan_judge.answer_schema(MENUS)
    assert schema["properties"]["choices"]["properties"]["look_alikes"]["enum"] == ["no", "yes", "other"]
    assert schema["properties"]["patterns"]["required"] == [*MENUS.patterns]
    assert read(FULL) == Found(choices=FULL["choices"], patterns=FULL["patterns"])
