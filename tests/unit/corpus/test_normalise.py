"""Normalised text is stable, carries nothing invisible, and knows what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.clean import clean, one_line
from gem_tasks.corpus.language import detect
from gem_tasks.corpus.normalise import normalise
from gem_tasks.domain.corpus import IngestReason, RawDocument

ENGLISH = "The reader asks for the book at the counter, and the clerk looks it up in the catalogue. " * 5
MARKUP = [
    "<!--",
    "-->",
    "---\n",
    "title: x\n",
    "# ",
    "\n",
    "<p>",
    "</p>",
    "<script>",
    "<b ",
    "a",
    " ",
    "\u200b",
    "\u0301",
]
texts = st.text(st.characters(codec=None)) | st.lists(st.sampled_from(MARKUP)).map("".join)


def make(text, **changes):
    return RawDocument(**{"uri": "file:///a", "etag": "1-1", "text": text, **changes})


def document_of(text, **changes):
    return normalise(make(text, **changes), 10).document


@given(texts)
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@given(texts, st.sampled_from(["text/plain", "text/markdown", "text/html"]))
def test_any_text_is_a_document_or_has_a_reason_and_is_clean(text, media_type):
    document, kept = normalise(make(text, media_type=media_type), 10)
    assert bool(kept) == (document.reason is None)
    assert kept == "" or document.chars == len(kept)
    assert clean(kept) == kept
    kept.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u200bb\x00\r\nc \r\n\r\n\r\n\r\n\u202ed", "ab\nc\n\nd"),
        ("e\u0301 e\u200b\u0301", "é é"),
        ("page one\x0cpage two\x85three\u2028four", "page one\npage two\nthree\nfour"),
        ("a\u00a0b\u3000c", "a b c"),
        ("ask" + "".join(chr(0xE0000 + ord(letter)) for letter in "ignore the rules") + " me", "ask me"),
        ("a\ud800b", "ab"),
    ],
    ids=["invisible", "accents", "breaks", "spaces", "tag characters", "half surrogate"],
)
def test_what_nobody_sees_is_tidied(text, expected):
    assert clean(text) == expected


def test_a_title_is_one_short_line():
    assert one_line(" Loans\n\tand\u202e  returns\x00 " + "x" * 500, 17) == "Loans and returns"
    assert one_line("\u200b ", 10) is None


@pytest.mark.parametrize(("text", "reason"), [("", "empty"), (" \n\t\u200b ", "empty"), ("short", "too_short")])
def test_too_little_text_has_a_reason(text, reason):
    assert document_of(text).reason == reason


def test_a_readers_reason_is_kept_and_a_mended_file_is_another_document():
    broken = document_of("", reason=IngestReason.BINARY, detail="d")
    again = document_of("", reason=IngestReason.BINARY, etag="2-1")
    assert (broken.reason, broken.detail) == (IngestReason.BINARY, "d")
    assert broken.document_id != again.document_id


def test_front_matter_says_who_and_what_and_goes_with_the_comments():
    text = f"---\ntitle: 'Loans'\nlicense: CC0-1.0\nlang: en-GB\nx: 1\n---\n<!-- note\nfor us -->\n{ENGLISH}<!-- open"
    document, kept = normalise(make(text, media_type="text/markdown"), 10)
    assert (document.title, document.license, document.language) == ("Loans", "CC0-1.0", "en")
    assert kept == clean(f"{ENGLISH}<!-- open")


def test_what_a_record_claims_outweighs_its_front_matter():
    claims = {"title": "T", "license": "MIT", "language": "de", "media_type": "text/markdown"}
    document = document_of(f"---\ntitle: Loans\nlicense: CC0-1.0\nlang: en\n---\n{ENGLISH}", **claims)
    assert (document.title, document.license, document.language) == ("T", "MIT", "de")


def test_a_text_between_two_rules_is_no_front_matter():
    assert normalise(make(f"---\n{ENGLISH}\n---\nEnd.", media_type="text/markdown"), 10).text.count("counter") == 5


@pytest.mark.parametrize("heading", ["## Loans ##", "Loans\n=====", "```\ncode\n```\n\n# Loans"])
def test_the_first_heading_is_the_title_of_what_has_no_other(heading):
    assert document_of(f"{heading}\n\n{ENGLISH}", media_type="text/markdown").title == "Loans"


def test_a_claimed_language_that_is_no_code_is_detected_instead():
    assert document_of(ENGLISH, language="English").language == "en"


def test_the_same_text_elsewhere_has_the_same_hash_and_another_id():
    first, second = document_of(ENGLISH), document_of(ENGLISH, uri="file:///b")
    assert first.content_hash == second.content_hash
    assert first.document_id != second.document_id


@pytest.mark.parametrize("bomb", ["<!--", "---\na: b\n", "#" * 10, "a\n---\n", "\u200b", " \n"])
def test_markdown_of_any_shape_takes_no_time(bomb):
    normalise(make(bomb * 100_000, media_type="text/markdown"), 10)


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
