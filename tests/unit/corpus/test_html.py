"""A page gives its words in order, headings and lists as Markdown, and never its scripts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.html import read_page

ARTICLE = """<html><head><title>Opening &amp; closing</title><style>p{}</style></head><body>
<nav><a href="/">Home</a> <a href="/shop">Shop</a></nav><script>steal()</script><article><h1>Opening a locker</h1>
<p>Ask the recipient for the tracking number and the pickup code before anything else is done.</p>
<ol><li>Find the parcel by its tracking number.</li><li>Open the compartment remotely.</li></ol>
<h2>Limits</h2><p>A compartment may be opened at most two times per parcel, and only by an agent.</p>
<!-- steal() --></article><footer>About us</footer></body></html>"""
TAGS = [
    "<div>",
    "</div>",
    "<b>",
    "</x>",
    "<p",
    '<a href="',
    "<!--",
    "-->",
    "<![CDATA[",
    "<?",
    "&#",
    "&amp;",
    "text",
    "<",
    ">",
]


def test_the_main_content_is_kept_as_markdown():
    page = read_page(ARTICLE)
    assert page.title == "Opening & closing"
    assert page.text.startswith("# Opening a locker")
    assert "1. Find the parcel by its tracking number.\n2. Open" in page.text
    assert "## Limits" in page.text
    assert not [word for word in ("steal", "Shop", "About us", "p{}") if word in page.text]


@given(st.lists(st.sampled_from(TAGS), max_size=300).map("".join) | st.text())
def test_no_page_makes_the_reader_raise(source):
    assert isinstance(read_page(source).text, str)


@pytest.mark.parametrize("opening", ["<div>", "<div></x>", "<b>", "<table><tr><td>", "<ul><li>", "<svg>"])
@pytest.mark.parametrize("depth", [2, 300, 100_000])
def test_scripts_never_leak_and_text_is_found_at_any_depth(opening, depth):
    source = f"<SCRIPT>steal()</script>{opening * depth}<style>steal</style >The end <p>of it<script>steal()"
    text = read_page(source).text
    if opening == "<svg>" and depth < 300:
        return  # a drawing has no text
    assert "The end" in text
    assert "steal" not in text


@pytest.mark.parametrize(
    "bomb", ["<a ", '<a href="', "<!--", "</", "<title", "<![CDATA[", "<?", "<", "&", "<p>x", "<b><i></b>"]
)
def test_markup_that_never_ends_takes_no_time(bomb):
    started = time.process_time()
    read_page(bomb * 100_000)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain words", "plain words"),
        ('<?xml version="1.0" encoding="latin-1"?><p>Grüße</p>', "Grüße"),
        ("<p>one\0two</p>", "onetwo"),
    ],
)
def test_odd_pages(source, text):
    assert read_page(source).text.strip() == text
