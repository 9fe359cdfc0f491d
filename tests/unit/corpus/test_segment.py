"""Segments cover a document in order, without overlap, within their bounds, at sensible places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.segment import count_tokens, segment
from gem_tasks.domain.corpus import Document, content_hash

TARGET, MOST = 50, 100

pieces = st.lists(st.sampled_from([*"ab .\n#1-中文é", "\n\n", "# ", "1. ", "word "]), max_size=600)
texts = pieces.map("".join) | st.text()


def cut(text, target=TARGET, most=MOST):
    document = Document(document_id="d", uri="u", etag="e", content_hash=content_hash(text), chars=len(text))
    return segment(text, document, target, most)


@given(texts)
def test_segments_are_the_text_in_order_within_bounds(text):
    found = cut(text)
    end = 0
    for item in found:
        assert item.text == text[item.start : item.end]
        assert item.text.strip() == item.text != ""
        assert item.tokens <= MOST
        assert text[end : item.start].strip() == ""
        end = item.end
    assert text[end:].strip() == ""


@given(texts)
def test_cutting_is_deterministic_and_ids_differ(text):
    ids = [item.segment_id for item in cut(text)]
    assert ids == [item.segment_id for item in cut(text)]
    assert len(ids) == len(set(ids))


def test_a_short_text_stays_whole():
    assert [item.text for item in cut("# Title\n\nOne paragraph.")] == ["# Title\n\nOne paragraph."]


def test_sections_begin_segments_and_headings_stay_with_their_text():
    section = "word " * 35
    found = cut(f"# One\n\n{section}\n\n# Two\n\n{section}")
    assert [item.text.split("\n")[0] for item in found] == ["# One", "# Two"]


def test_a_numbered_list_is_not_torn_apart_while_it_fits():
    steps = "\n".join(f"{number}. Do the thing number {number} now." for number in range(1, 10))
    found = cut(f"{'word ' * 45}\n\n{steps}\n\n{'word ' * 45}")
    assert any("1. Do" in item.text and "9. Do" in item.text for item in found)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("中文字", 3), ("中a", 2)])
def test_tokens_are_estimated(text, tokens):
    assert count_tokens(text) == tokens


def test_a_run_without_any_space_is_cut_all_the_same():
    assert all(item.tokens <= MOST for item in cut("x" * 10_000))
    assert "".join(item.text for item in cut("中" * 999)) == "中" * 999
