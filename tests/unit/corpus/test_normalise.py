"""Normalised text is stable, carries nothing invisible, and knows what it is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.language import detect
from gem_tasks.corpus.normalise import clean, normalise
from gem_tasks.domain.corpus import IngestReason, RawDocument

ENGLISH = "The reader asks for the book at the counter, and the clerk looks it up in the catalogue. " * 5


def make(text, **changes):
    return RawDocument(**{"uri": "file:///a", "etag": "1-1", "text": text, **changes})


@given(st.text())
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_any_text_is_a_document_or_has_a_reason(text):
    for media_type in ("text/plain", "text/markdown", "text/html"):
        document, kept = normalise(make(text, media_type=media_type), 10)
        assert bool(kept) == (document.reason is None)
        assert kept == "" or document.chars == len(kept)


def test_invisible_characters_and_line_ends_are_tidied():
    assert clean("a\u200bb\x00\r\nc \r\n\r\n\r\n\r\n\u202ed") == "ab\nc\n\nd"
    assert clean("e\u0301") == "é"


@pytest.mark.parametrize(("text", "reason"), [("", "empty"), (" \n\t\u200b ", "empty"), ("short", "too_short")])
def test_too_little_text_has_a_reason(text, reason):
    assert normalise(make(text), 10).document.reason == reason


def test_a_readers_reason_is_kept_and_a_mended_file_is_another_document():
    broken = normalise(make("", reason=IngestReason.BINARY, detail="d"), 10).document
    again = normalise(make("", reason=IngestReason.BINARY, etag="2-1"), 10).document
    assert (broken.reason, broken.detail) == (IngestReason.BINARY, "d")
    assert broken.document_id != again.document_id


def test_html_gives_its_words_and_nothing_else():
    page = """<html><head><title>Opening  a locker</title><style>p{}</style></head><body>
    <nav><a href="/">Home</a></nav><script>steal()</script><article><h1>Opening a locker</h1>
    <p>Ask the recipient for the tracking number and the pickup code before anything else is done.</p>
    <ul><li>Find the parcel by its tracking number.</li><li>Open the compartment remotely.</li></ul>
    <p>A compartment may be opened at most two times per parcel, and only by an agent.</p></article></body></html>"""
    document, text = normalise(make(page, media_type="text/html"), 10)
    assert document.title == "Opening a locker"
    assert "- Find the parcel" in text
    assert "steal" not in text


def test_deeply_nested_html_is_read_in_no_time():
    page = "<div>" * 100_000 + ENGLISH + "</div>" * 100_000
    started = time.monotonic()
    _, text = normalise(make(page, media_type="text/html"), 10)
    assert "at the counter" in text
    assert time.monotonic() - started < 20


def test_markdown_front_matter_gives_the_title_and_goes():
    document, text = normalise(
        make(f"---\ntitle: 'Loans'\nx: 1\n---\n<!-- note -->\n{ENGLISH}", media_type="text/markdown"), 10
    )
    assert document.title == "Loans"
    assert text == clean(ENGLISH)


def test_the_same_text_elsewhere_has_the_same_hash_and_another_id():
    first = normalise(make(ENGLISH), 10).document
    second = normalise(make(ENGLISH, uri="file:///b"), 10).document
    assert first.content_hash == second.content_hash
    assert first.document_id != second.document_id


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        ("Bitte prüfen Sie zuerst, ob die Maschine angeschlossen ist, und öffnen Sie dann den Hahn.", "de"),
        ("", None),
        ("12345 67890 !!!", None),
    ],
)
def test_language(text, language):
    assert detect(text) == language
