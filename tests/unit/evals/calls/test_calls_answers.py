"""What counts as a call, and what as words."""

import pytest

from gem_tasks.domain.chat import Completion, FunctionCall
from gem_tasks.evals.calls.answers import read_action
from gem_tasks.evals.calls.matching import Called

CALL = '<func>{"name": "f", "arguments": {"x": 1}}</func>'


def action(text, *calls, finish="stop", **more):
    made = tuple(FunctionCall(id="", name=name, arguments=written) for name, written in calls)
    return read_action(Completion(text=text, finish_reason=finish, tool_calls=made, **more))


def test_calls_in_the_endpoints_form_and_in_tags_are_the_same():
    native, tagged = action("I look.", ("f", '{"x": 1}')), action(f"I look. {CALL}")
    assert native == tagged == action(f"I look. {CALL.replace('func>', 'tool_call>')}")
    assert (native.calls, native.words) == ((Called("f", {"x": 1}),), "I look.")
    assert (native.called, native.spoke) == (True, False)


def test_words_are_words():
    found = action("All is well.")
    assert (found.words, found.called, found.spoke, found.fault) == ("All is well.", False, True, "")


@pytest.mark.parametrize(
    "text",
    [
        f"{CALL}\n<tool>\n{{}}\n</tool>\n<assistant>Done.</assistant>",
        f"<assistant>{CALL}</assistant>\n<user>Thanks</user>",
        f"{CALL}</assistant>",
    ],
)
def test_a_turn_ends_where_the_model_writes_another_one(text):
    found = action(text, finish="length")
    assert (found.calls, found.ran_on, found.fault) == ((Called("f", {"x": 1}),), True, "")


def test_a_tag_within_an_argument_ends_nothing():
    found = action('<func>{"name": "f", "arguments": {"x": "</assistant> <user>"}}</func>')
    assert (found.calls, found.ran_on) == ((Called("f", {"x": "</assistant> <user>"}),), False)


@pytest.mark.parametrize(
    ("text", "calls", "finish", "fault", "called", "spoke"),
    [
        ("", (), "stop", "empty", False, False),
        ("<func>{broken", (), "stop", "malformed", True, False),
        ("<tool_call>{broken", (), "stop", "malformed", True, False),
        ("", (("f", "{broken"),), "stop", "malformed", True, False),
        ("", (("f", "[1]"),), "stop", "malformed", True, False),
        ("", (("no such name", "{}"),), "stop", "malformed", True, False),
        ("<func>{", (), "length", "cut_off", True, False),
        ("It is so that", (), "length", "cut_off", False, True),
        ("<think>It calls <func>", (), "length", "cut_off", False, False),
        ("no", (), "content_filter", "filtered", False, False),
    ],
)
def test_unusable_answers_have_a_reason(text, calls, finish, fault, called, spoke):
    found = action(text, *calls, finish=finish)
    assert (found.fault, found.called, found.spoke) == (fault, called, spoke)


def test_thoughts_are_no_action():
    found = action(f"<think>{CALL}</think>Which one?", thoughts="I call f.")
    assert (found.words, found.called, found.spoke) == ("Which one?", False, True)


def test_names_of_calls_with_broken_arguments_are_known():
    assert action("", ("f", "{broken")).calls == (Called("f", None),)
