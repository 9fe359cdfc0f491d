"""Patterns that were rewritten to take linear time find what they found before."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.checks import claims
from gem_tasks.checks.grounding import identifiers
from gem_tasks.checks.reading import numbers, source
from gem_tasks.corpus.reading import warc
from gem_tasks.corpus.text import clean
from gem_tasks.dataset import privacy
from gem_tasks.domain.spans import between, without
from gem_tasks.domain.workflow import ExecutionGraph
from gem_tasks.environments import vendored
from gem_tasks.lint import tools, turns
from gem_tasks.llm import moments
from gem_tasks.prompts import dialogue, tags
from gem_tasks.worlds.goals import seed_facts

PAIRS = [
    (numbers._MULTIPLES, r"(\d+(?:\.\d+)?)\s*(thousand|million|dozen|hundred)\b", "1.5 x", ["million", "dozen "]),
    (source._IN_NAMES, r"(?:[A-Za-z]+[-_.]?|\b[A-Z]\w*\s)(\d{1,9})(?![\d.,]*\d)", "Aa1-_., é", ["Rule ", "12"]),
    (claims._QUOTED, r"\"[^\"\n]*\"|“[^”\n]*”", "a\"\n ”", ["“a”", '"b"']),
    (warc._CHARSET, r"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""", " =\"'u\t;", ["charset", "charset="]),
    (moments._PART, r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", "12.mshd ", []),
    (identifiers._CODE, r"[^\s]*\d[^\s]*", "a1- \n٣", []),
    (turns._CALLED, r"<(tool_call|function_call|functioncall)>(.*?)(?:</\1>|$)", " a", ["<tool_call>", "</tool_call>"]),
]  # fmt: skip
"""The pattern, what it was, letters to try it with, and words."""


@pytest.mark.parametrize(("now", "then", "letters", "words"), PAIRS, ids=lambda each: getattr(each, "pattern", "")[:20])
@given(data=st.data())
def test_the_same_is_found(now, then, letters, words, data):
    text = "".join(data.draw(st.lists(st.sampled_from([*letters, *words]), max_size=14)))
    old = re.compile(then, now.flags if isinstance(now, re.Pattern) else re.IGNORECASE)
    assert [match.regs for match in now.finditer(text)] == [match.regs for match in old.finditer(text)]
    assert bool(now.fullmatch(text)) == bool(old.fullmatch(text))


@given(st.text(" \t\na\r"))
def test_blanks_at_the_ends_of_lines_are_those_of_a_pattern(text):
    assert clean._without_trailing(text) == re.sub(r"[ \t]+(?=\n)", "", text)


def pieces(*words):
    return st.lists(st.sampled_from(words), max_size=12).map("".join)


KEYS = [
    pattern
    for pattern in privacy._key_patterns()
    if pattern.pattern.startswith(tuple(each[0] for each in privacy._RUNS))
]


@pytest.mark.parametrize("pattern", KEYS, ids=lambda each: each.pattern[:10])
@given(
    pieces("//", "/", "a", "/:_authToken=", "npm_x", " ", "\n", "sk-", "A" * 20, "T3BlbkFJ", "-", "eyJ", ".", "=", "b1")
)
def test_keys_are_found_as_before(pattern, text):
    assert [match[0] for match in privacy._matches(pattern, text)] == [match[0] for match in pattern.finditer(text)]


def test_the_quadratic_patterns_of_detect_secrets_are_still_the_known_ones():
    assert len(KEYS) == len(privacy._RUNS)


@given(pieces("```", "`", "json", " ", "\n", "{}", "a"))
def test_fences_are_taken_off_as_before(text):
    assert tags._unfenced(text) == re.sub(r"^```(?:json)?\s*|\s*```$", "", text.strip())


@given(pieces("<func>", "</func>", "a", "\n", " "))
def test_calls_are_found_as_before(text):
    old = re.compile(r"<func>(.*?)</func>", re.DOTALL)
    assert [span.inner for span in between(text, *dialogue._CALL)] == old.findall(text)
    assert without(text, between(text, *dialogue._CALL)) == old.sub("", text)


@given(pieces("<think>", "<thinking>", "</think>", "</thinking>", "a", "\n", " "))
def test_thoughts_are_taken_out_as_before(text):
    old = re.compile(r"\s*<think(?:ing)?>.*?</think(?:ing)?>\s*", re.DOTALL)
    assert without(text, between(text, *turns._THOUGHT)).strip() == old.sub("", text).strip()


@given(pieces("<tool_response>", "</tool_response>", "a", "\n", " "))
def test_results_are_found_as_before(text):
    assert turns._answers(text) == re.findall(r"<tool_response>\s*(.*?)\s*</tool_response>", text, re.DOTALL)
    parts = re.split(r"\s*</tool_response>\s*<tool_response>\s*", text.strip())
    assert turns._joined(text) == (parts if len(parts) > 1 else [])


@given(pieces("List[", "int", "]", ",", " ", "optional", "(optional)", "or", "|"))
def test_types_are_read_as_before(text):
    plain = re.sub(r",?\s*optional|\s*\(optional\)", "", text, flags=re.IGNORECASE)
    assert tools._OPTIONAL.sub(lambda _: "", text) == plain
    assert tools._without_brackets(plain) == re.sub(r"\[.*\]", "", plain)


@given(pieces("\n", " ", "\t", "\f", "\r", "from", "import", " gem_tasks", "x", ".a"))
def test_imports_are_renamed_as_before(text):
    old = re.sub(r"^(\s*+)(from|import) gem_tasks\b", r"\1\2 b.c", text, flags=re.MULTILINE)
    assert vendored.renamed(text, "b.c") == old


@given(pieces("a", "é", ".", "+", "-", "@", "@b.c", "a@b.c", " ", "\n"))
def test_addresses_are_found_as_before(text):
    old = re.findall(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}", text)
    assert [match[0] for match in seed_facts._MAIL.finditer(text) if match[1]] == old


def graph(text):
    nodes = []
    for part in re.split(r"\s*(?:->|→)\s*", text.strip()):
        match = re.fullmatch(r"\(\s*([^()]*?)\s*\)", part)
        names = [name.strip() for name in match[1].split(",")] if match else []
        if not names or not all(re.match(r"^[a-zA-Z0-9_-]{1,64}$", name) for name in names):
            return None
        nodes.append(tuple(names))
    return tuple(nodes)


@given(pieces("(", ")", "a", "b", ",", "->", "→", " ", "\n", "-"))
def test_graphs_are_read_as_before(text):
    try:
        found = ExecutionGraph.parse(text).nodes
    except ValueError:
        found = None
    assert found == graph(text)
