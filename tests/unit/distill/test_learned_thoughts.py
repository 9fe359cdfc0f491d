"""Rows with thoughts: what is learned, after which text, and that nothing else has labels."""

import importlib.util
import sys

import pytest
from pydantic import ValidationError

from gem_tasks.distill.formats.conversation import without_thought
from gem_tasks.distill.profiles import Profile
from gem_tasks.resources import shipped

sys.path.insert(0, str(shipped("envs") / "train"))
spec = importlib.util.spec_from_file_location("learned_thoughts", shipped("envs") / "train" / "thoughts.py")
thoughts = importlib.util.module_from_spec(spec)
spec.loader.exec_module(thoughts)
sys.path.remove(str(shipped("envs") / "train"))


def template(shows):
    """A renderer that writes the thought of a message if `shows(its index, index of the last user)`."""

    def render(messages, tools, speaks):
        last = max(at for at, message in enumerate(messages) if message["role"] == "user")
        parts = []
        for at, message in enumerate(messages):
            thought = message.get("reasoning_content") if shows(at, last) else None
            calls = "".join(call["function"]["arguments"]["key_mark3"] for call in message.get("tool_calls", []))
            parts.append(f"[{message['role']}] {f'({thought}) ' if thought else ''}{message['content']}{calls};")
        return "".join(parts) + ("[assistant] " if speaks else "")

    return render


def learned(row):
    return [row.text[start:end] for start, end in row.learned]


def test_a_template_that_drops_earlier_thoughts_gives_a_row_for_each_turn_of_the_user():
    rows = list(thoughts.stretches(thoughts.PROBE, None, template(lambda at, last: at > last)))
    assert [learned(row) for row in rows] == [
        ["(thought1) arg1;", "(thought2) said2;"],
        ["(thought3) said3arg3;", "(thought4) said4;"],
    ]
    assert "thought2" not in rows[1].text
    assert rows[1].text.startswith("[system] Rules.;[user] First.;[assistant] arg1;")


def test_a_template_that_keeps_them_gives_one_row():
    (row,) = thoughts.stretches(thoughts.PROBE, None, template(lambda at, last: True))
    assert learned(row) == ["(thought1) arg1;", "(thought2) said2;", "(thought3) said3arg3;", "(thought4) said4;"]


@pytest.mark.parametrize(
    ("shows", "why"),
    [
        (lambda at, last: False, "it leaves out thoughts"),
        (lambda at, last: at in (2, 6), "it leaves out the thoughts of some turns"),
        (lambda at, last: at > last, ""),
    ],
)
def test_a_template_is_refused_for_what_it_leaves_out(shows, why):
    assert thoughts.why_not(template(shows)) == why


def test_a_template_that_closes_thoughts_before_they_begin_is_refused():
    def closing(messages, tools, speaks):
        return template(lambda at, last: True)(messages, tools, speaks) + ("()" if speaks else "")

    assert thoughts.why_not(closing) == "its prompt for an answer is not how it begins the answer"


def test_labels_are_the_tokens_of_answers_only():
    def tokenizer(text, **_):
        return {"input_ids": [ord(sign) for sign in text], "offset_mapping": [(at, at + 1) for at in range(len(text))]}

    made = thoughts.labelled(thoughts.Stretch("ab[cd]ef[g]", [(3, 5), (9, 10)]), tokenizer)
    assert "".join(chr(each) if each >= 0 else "." for each in made["labels"]) == "...cd....g."
    assert len(made["input_ids"]) == 11


def test_a_profile_without_thoughts_is_the_one_that_it_was_and_a_synthesizer_has_none():
    values = {"name": "p", "kind": "agent", "model": {"path": "m"}, "sft": {}}
    plain, thinking = Profile(**values), Profile(**values, reasoning=True)
    assert plain.sha256 != thinking.sha256
    assert plain.sha256 == "71c7fb4744edf6f4e96cc763493c7ae88c825e2f9c2f261a3be449e12f11e430"
    with pytest.raises(ValidationError, match="only agents have thoughts"):
        Profile(**{**values, "kind": "synthesizer"}, reasoning=True)


def test_a_thought_is_taken_out_where_a_profile_does_not_train_on_it():
    assert without_thought({"role": "assistant", "content": "x", "reasoning_content": "y"}) == {
        "role": "assistant", "content": "x",
    }  # fmt: skip
