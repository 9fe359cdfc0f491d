"""Segments cover a document in order, without overlap, within their bounds, at sensible places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.markdown.blocks import Kind, blocks
from gem_tasks.corpus.segment import count_tokens, segment
from gem_tasks.domain.corpus import Document, content_hash

TARGET, MOST = 50, 100

PIECES = [
    *"ab .\n#1-中文é\t",
    "\n\n",
    "\n# ",
    "\n1. ",
    "\n- ",
    "word ",
    "word. ",
    "\n```\n",
    "\n---\n",
    "  ",
    "\U0001f600",
]
texts = st.lists(st.sampled_from(PIECES), max_size=600).map("".join) | st.text()
sizes = st.tuples(st.integers(2, 60), st.integers(2, 120))


def cut(text, target=TARGET, most=MOST):
    document = Document(document_id="d", uri="u", etag="e", content_hash=content_hash(text), chars=len(text))
    return segment(text, document, target, most)


def words(tokens):
    return ("word " * tokens)[: tokens * 4].strip()


def paragraphs(count, tokens):
    return "\n\n".join([words(tokens)] * count)


def check(text, found, most):
    end = 0
    for item in found:
        assert item.text == text[item.start : item.end]
        assert item.text.strip() == item.text != ""
        assert item.tokens <= most
        assert text[end : item.start].strip() == ""
        end = item.end
    assert text[end:].strip() == ""


@given(texts)
def test_segments_are_the_text_in_order_within_bounds(text):
    check(text, cut(text), MOST)


@given(texts, sizes)
def test_that_holds_for_any_sizes(text, size):
    check(text, cut(text, *size), size[1])


@given(texts)
def test_blocks_cover_the_text_without_a_gap(text):
    found = list(blocks(text))
    assert "".join(text[block.start : block.end] for block in found) == (text if text.strip() else "")


@given(texts)
def test_cutting_is_deterministic_and_ids_differ(text):
    ids = [item.segment_id for item in cut(text)]
    assert ids == [item.segment_id for item in cut(text)]
    assert len(ids) == len(set(ids))


def test_a_short_text_stays_whole():
    assert [item.text for item in cut("# Title\n\nOne paragraph.")] == ["# Title\n\nOne paragraph."]


@pytest.mark.parametrize("heading", ["# Two", "###### Two", "Two\n===", "Two\n---"])
def test_sections_begin_segments(heading):
    found = cut(f"# One\n\n{words(40)}\n\n{heading}\n\n{words(40)}")
    assert [item.text.split("\n")[0] for item in found] == ["# One", heading.split("\n")[0]]


def test_small_sections_are_packed_up_to_the_target():
    found = cut("\n\n".join(f"## {number}\n\n{words(10)}" for number in range(12)))
    assert all(TARGET // 2 < item.tokens <= TARGET for item in found)


def test_a_section_that_fits_the_maximum_is_not_cut():
    section = f"## Two\n\n{paragraphs(6, 15)}"
    found = cut(f"# One\n\n{words(30)}\n\n{section}\n\n## Three\n\n{words(30)}")
    assert section in [item.text for item in found]


def test_paragraphs_of_a_large_section_are_packed_up_to_the_target_not_the_maximum():
    found = cut(f"# One\n\n{paragraphs(60, 5)}")
    assert all(item.tokens <= TARGET for item in found)


@pytest.mark.parametrize("body", [words(300), words(99), "\n".join(f"- {words(9)}" for _ in range(40))])
def test_a_heading_stays_with_what_follows(body):
    found = cut(f"{words(45)}\n\n# Title\n\n## Below\n\n{body}")
    (holder,) = [item for item in found if "# Title" in item.text]
    assert "## Below" in holder.text
    assert not holder.text.endswith("Below")


def test_a_numbered_list_is_not_torn_apart_while_it_fits():
    steps = "\n\n".join(f"{number}. Do the thing number {number} now.\n\n   It is so." for number in range(1, 9))
    found = cut(f"{words(60)}\n\n{steps}\n\n{words(60)}")
    assert any("1. Do" in item.text and "8. Do" in item.text for item in found)


def test_a_list_stays_with_the_paragraph_that_leads_in_to_it():
    steps = "\n".join(f"{number}. Do the thing number {number}." for number in range(1, 8))
    found = cut(f"{paragraphs(8, 20)}\n\nTo do it:\n\n{steps}\n\n{paragraphs(8, 20)}")
    assert any(f"To do it:\n\n{steps}" in item.text for item in found)


def test_a_list_that_is_too_long_is_cut_between_items():
    items = [f"{number}. {words(20)}" for number in range(1, 30)]
    lines = [line for item in cut("\n".join(items)) for line in item.text.split("\n")]
    assert lines == items


def test_a_long_paragraph_is_cut_between_sentences():
    found = cut("This is a sentence of some words. " * 100)
    assert all(item.text.endswith(".") for item in found)


def test_a_heading_inside_code_is_none():
    code = "```\n# a comment\nrun\n```"
    kinds = [block.kind for block in blocks(f"Text.\n\n{code}\n\n1. Item\n\n   ```\n# x\n   ```\n2. Item\n# Heading\n")]
    assert kinds == [Kind.PARAGRAPH, Kind.CODE, Kind.LIST, Kind.HEADING]


def test_a_tiny_rest_joins_the_segment_before():
    assert [item.tokens for item in cut(f"# One\n\n{words(48)}\n\n# Two\n\nEnd.")] == [53]


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("中文字", 3), ("да", 1), ("\ud800", 1)]
)
def test_tokens_are_estimated(text, tokens):
    assert count_tokens(text) == tokens


def test_a_run_without_any_space_is_cut_all_the_same():
    assert all(item.tokens <= MOST for item in cut("x" * 10_000))
    assert "".join(item.text for item in cut("中" * 999)) == "中" * 999
