"""Thoughts are never the answer, wherever they come."""

import json

import pytest

from gem_tasks.llm.responses.completions import read_completion
from gem_tasks.llm.responses.thoughts import split_thoughts

SPOKEN = "<user>x</user><assistant><thought>y</thought>z</assistant><assistant><thought>y</thought></assistant>"
BARE = SPOKEN.replace("<thought>", "").replace("</thought>", "")
SAME_TAG = SPOKEN.replace("thought", "think")


@pytest.mark.parametrize(
    ("text", "thoughts", "answer"),
    [
        ("<think>\nhm\n</think>\n\nyes", "hm", "yes"),
        ("hm\n</think>\nyes", "hm", "yes"),
        ("<think>a</think><think>b</think>yes", "ab", "yes"),
        ("<think>a</think>draft<think>b</think>yes", "adraftb", "yes"),
        ("<think>cut off", "cut off", ""),
        ("<think>a</think>\n<think>cut off", "a\ncut off", ""),
        ("yes <think>hm</think>", "", "yes <think>hm</think>"),
        ("yes <b>bold</b>", "", "yes <b>bold</b>"),
        (f"<think>hm</think>{SPOKEN}", "hm", SPOKEN),
        (f"hm</think>{SPOKEN}", "hm", SPOKEN),
        (f"<think>Try {SPOKEN} or so.</think>{SPOKEN}", f"Try {BARE} or so.", SPOKEN),
        (f"Try {SPOKEN} or so.</think>{SPOKEN}", f"Try {BARE} or so.", SPOKEN),
        (f"<think>a</think>again<think>b</think>{SPOKEN}", "aagainb", SPOKEN),
        (SPOKEN, "", SPOKEN),
        (f"<think>hm</think>{SAME_TAG}", "hm", SAME_TAG),
        (SAME_TAG, "", SAME_TAG),
    ],
)
def test_thoughts_in_the_text(text, thoughts, answer):
    assert split_thoughts(text) == (thoughts, answer)


def read(message, usage=None, reason="stop"):
    return read_completion(
        json.dumps({"choices": [{"message": message, "finish_reason": reason}], "usage": usage}).encode(), 0
    )


PARTS = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "yes"}]


@pytest.mark.parametrize(
    "message",
    [
        {"content": "yes", "reasoning": "hm"},
        {"content": "yes", "reasoning_content": "hm"},
        {"content": PARTS},
        {"content": "hm</think>yes"},
    ],
)
def test_thoughts_beside_the_text(message):
    found = read(message)
    assert (found.thoughts, found.text) == ("hm", "yes")


def test_thoughts_that_only_the_total_counts_are_paid_too():
    usage = read({"content": "x"}, {"prompt_tokens": 20, "completion_tokens": 151, "total_tokens": 553}).usage
    assert (usage.completion_tokens, usage.reasoning_tokens) == (533, 382)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("max_tokens", "length"), ("model_length", "length"), ("SAFETY", "content_filter"), ("eos", "eos")],
)
def test_endings_have_one_name(word, meaning):
    assert read({"content": "x"}, reason=word).finish_reason == meaning
