"""Conversations as people write them: in an editor, a form, a file. What they did not change comes back exactly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.text.harmless import harmless
from gem_tasks.domain.change import Change, Standing, base_of, dump_messages, standing
from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.edits.fields import fields_of, with_fields
from gem_tasks.edits.form import as_form
from gem_tasks.edits.reading import read_conversation
from gem_tasks.errors import UserError
from tests.factories import make_trajectory

TALK = make_trajectory().messages
TEXTS = st.one_of(
    st.text().map(harmless),
    st.sampled_from(["", " ", "no", "1:30", "2026-01-31", "~", "- a\n- b", "a\n\n\n", "  x\n y ", "# no comment",
                     "a: b", "'", '"', "\t", "|", "null", "*x", "&x", "!!python/name:os", "---\n...", "👩\u200d💻",
                     "a" * 500]),
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def talk_of(content, arguments):
    call = ToolCall(id="call_1", name="get_loan", arguments=arguments)
    return (
        Message(role="user", content=content),
        Message(role="assistant", tool_calls=(call,)),
        Message(role="tool", content=content, tool_call_id="call_1"),
    )


@given(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=3))
def test_a_form_is_read_back_as_it_was(content, arguments):
    talk = talk_of(content, arguments)
    assert read_conversation(as_form(talk, "Trajectory", ["a note"])) == talk


@given(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=3))
def test_fields_that_nobody_changed_change_nothing(content, arguments):
    talk = talk_of(content, arguments)
    sent = {}
    for field in fields_of(talk):
        sent |= {field.name: field.text, **{call.name: call.text for call in field.calls}}
    assert with_fields(talk, {name: text.replace("\n", "\r\n") for name, text in sent.items()}) == talk


def test_fields_change_texts_and_arguments():
    given_ = {"content-1": "Look at\r\nloan L-8.\x00", "arguments-2-0": '{"loan_id": "L-8"}', "content-999": "ignored"}
    changed = with_fields(TALK, given_)
    assert changed[1].content == "Look at\nloan L-8."
    assert changed[2].tool_calls[0].arguments == {"loan_id": "L-8"}
    assert (changed[0], changed[3:]) == (TALK[0], TALK[3:])


def test_messages_of_exports_are_read_in_all_their_forms():
    row = {"messages": [message.to_openai() for message in TALK], "tools": [], "metadata": {"x": 1}}
    for text in (json.dumps(row), json.dumps(row, indent=2), json.dumps(row["messages"]), json.dumps(row) + "\n"):
        assert read_conversation(text) == TALK


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a list of messages"),
        ("[]", "not a list of messages"),
        ("hello", "not a list of messages"),
        ("{", "neither YAML nor JSON"),
        ("- [1", "neither YAML nor JSON"),
        ("- role: user\n  content: &a x\n- role: user\n  content: *a\n", "alias"),
        ("- !!python/object/apply:os.system [id]", "neither YAML nor JSON"),
        ("- 5", "message 0 is not an object"),
        ("- role: robot\n  content: x", "message 0: 'robot' is not a role"),
        ("- role: user\n  content: no", "message 0: the content is not text"),
        ("- role: user\n  content: x\n  name: y", "fields that no message has: name"),
        ("- role: assistant\n  tool_calls: 7", "`tool_calls` is not a list"),
        ("- role: assistant\n  tool_calls: [{name: f}]", "message 0, call 0 has no `id` or no `name`"),
        ("- role: assistant\n  tool_calls: [{id: a, name: f, arguments: [1]}]", "not a JSON object"),
        ("- role: assistant\n  tool_calls: [{id: a, name: f, arguments: {d: 2026-01-31}}]", "a value is no JSON"),
        ("- role: assistant\n  tool_calls: [{id: a, name: f, arguments: {d: .nan}}]", "a value is no JSON"),
        ('[{"role": "assistant", "tool_calls": [{"id": "a", "name": "f", "arguments": "{x"}]}]', "are not JSON"),
        ("[" * 300, "neither YAML nor JSON"),
        ("x" * 4_000_001, "more than 4,000,000 characters"),
    ],
)
def test_what_is_no_conversation_is_refused_with_the_place(text, why):
    with pytest.raises(UserError, match=why):
        read_conversation(text)


def test_harmful_characters_of_people_are_removed():
    (message,) = read_conversation(json.dumps([{"role": "user", "content": "a\x1b[31mb\x00\ud800\u202ec"}]))
    assert message.content == "abc"


def change(kind, number, **values):
    base = {"segment_id": "s", "trajectory_id": "t", "base": "b", "author": "Anna", "origin": "page"}
    return Change(change_id=f"c{number}", kind=kind, position=number, **base, **values)


def test_the_last_that_was_not_taken_back_holds():
    first, second = (change("edit", n, messages=dump_messages(TALK[:n])) for n in (1, 2))
    vetoed, undone = change("veto", 3, words="x"), change("undo", 4, undoes="c3")
    talk = make_trajectory()
    assert standing([first, second, vetoed]).binding == ["c3", "c2"]
    assert standing([first, second, vetoed, undone]).veto is None
    assert standing([first, second]).applied(talk).messages == TALK[:2]
    back = standing([first, second, vetoed, undone, change("undo", 5, undoes="c2")])
    assert back.applied(talk).messages == TALK[:1]
    assert Standing().applied(talk) is talk


def test_a_base_is_that_of_the_content():
    talk = make_trajectory()
    assert base_of(talk) == base_of(make_trajectory())
    assert base_of(talk) != base_of(talk.model_copy(update={"tools": talk.tools[:1]}))
    assert base_of(talk) != base_of(talk.model_copy(update={"messages": talk.messages[:-1]}))
