"""A prompt of the user's own: what is refused, and that the message says what is wrong."""

import re

import pytest

from gem_tasks.domain.stage import USER_PROMPT
from gem_tasks.prompts import NAMES, load, shipped
from gem_tasks.prompts.contract import LARGEST_BYTES, BrokenContractError, parse_prompt
from gem_tasks.stages import ASKED_FOR, STAGES, SYNTHESIZER_STAGES, WORLD_STAGES


def parse(name, text):
    return parse_prompt(name, text if isinstance(text, bytes) else text.encode(), "mine.md", ASKED_FOR.get(name, ()))


@pytest.mark.parametrize("name", NAMES)
def test_our_own_prompts_keep_the_contract(name):
    ours = load(name)
    assert parse(name, ours.text) == ours.model_copy(update={"origin": "mine.md"})


def test_there_is_a_prompt_for_every_stage_and_one_to_repair():
    assert {each.prompt for each in (*STAGES, *WORLD_STAGES, *SYNTHESIZER_STAGES)} | {USER_PROMPT, "repair"} == set(
        NAMES
    )
    assert set(shipped().by_name) == set(NAMES) == set(ASKED_FOR)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("filter", b"", "it is empty"),
        ("filter", b" \n ", "it is empty"),
        ("filter", b"caf\xe9", "not UTF-8: byte 3 is 0xe9"),
        ("filter", load("filter").text.encode("utf-16"), "not UTF-8"),
        ("filter", b"x" * (LARGEST_BYTES + 1), "at most 65536"),
        ("filter", load("filter").text.replace("\n", "\x00\n", 1), "line 1 holds the control character U+0000"),
        ("filter", load("filter").text.replace("<reason>", "<why>"), "never mentions <reason>"),
        ("refine", load("generate").text, "never mentions <toolsets>"),
        ("validate", load("validate").text.replace('"findings"', "findings"), 'never mentions "findings"'),
        ("repair", "Do it again.", "never mentions {complaint}"),
        ("filter", load("filter").text + "\n{text}", "the placeholder {text}, which nothing fills in"),
        ("generate", "{{ workflow }}\n" + load("generate").text, "line 1 has the placeholder {{ workflow }}"),
        ("refined", "anything", "there is no prompt 'refined'"),
    ],
)
def test_what_breaks_the_contract_is_refused_with_the_reason(name, text, complaint):
    with pytest.raises(BrokenContractError, match=re.escape(complaint)):
        parse(name, text)


def test_line_ends_and_byte_order_marks_do_not_make_another_version():
    text = load("filter").text
    assert parse("filter", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()).sha256 == load("filter").sha256


def test_the_origin_is_no_part_of_the_identity():
    assert load("filter").model_copy(update={"origin": "elsewhere"}).sha256 == load("filter").sha256
