"""A page gives its words in order, headings and lists as Markdown, and never its scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.html.page import read_page

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


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("<section id=parental-consent><h2>Consent</h2><p>Ask a parent.</p></section>", "## Consent\n\nAsk a parent."),
        ("<h2 class=toc-backref><a href=#x>Limits</a></h2><p>Two.</p>", "## Limits\n\nTwo."),
        ("<ol start=3><li>c</li><li value=7>g</li><li>h</li></ol>", "3. c\n7. g\n8. h"),
        ("<p>10<sup>6</sup> of H<sub>2</sub>O<sup><a>[1]</a></sup></p>", "10⁶ of H₂O[1]"),
        ("<p>a<br>b</p>", "a\nb"),
        ("<pre>a\n  ```\n</pre>", "````\na\n  ```\n````"),
        ("<dl><dt>Fee</dt><dd>10 EUR</dd><dd>free</dd></dl>", "Fee\n: 10 EUR\n: free"),
        ("<ul><li><img alt='Press Save'></li></ul>", "- Press Save"),
        ("<table><tr><td>a|b<td>c</table>", "| a\\|b | c |\n|---|---|"),
        (
            "<table><tr><th rowspan=2>A<th colspan=2>B<tr><td>1<td>2</table>",
            "| A | B |  |\n|---|---|---|\n|  | 1 | 2 |",
        ),
        ("<p>Press <kbd>Ctrl</kbd>+<code>`</code> <b> now </b>!</p>", "Press `Ctrl`+`` ` `` **now** !"),
        ("<details><summary>More</summary>Wait.</details>", "More\n\nWait."),
        ("<ruby>漢<rt>かん</rt></ruby>", "漢(かん)"),
        ("<blockquote>Wait.<footer>The clerk</footer></blockquote>", "Wait.\n\nThe clerk"),
        ("Delete the cookies.", "Delete the cookies."),
        ("<p>Click <input type=submit value=Save>.</p>", "Click Save."),
    ],
)
def test_what_is_shown_is_text(part, text):
    source = f"<main><h1>Loans</h1><p>The clerk renews loans of members.</p>{part}<p>The end of it.</p></main>"
    said = read_page(source).text.split("The clerk renews loans of members.\n\n")[1]
    assert said == f"{text}\n\nThe end of it."


@pytest.mark.parametrize(
    "part",
    [
        "<p hidden>X</p>", "<p style='display:none'>X</p>", "<span class=sr-only>X</span>", "<dialog>X</dialog>",
        "<div class='cookie-banner'>X</div>", "<template>X</template>", "<noscript>X</noscript>", "<nav>X</nav>",
        "<select><option>X</select>", "<a class=headerlink>X</a>", "<footer>X</footer>",
    ],
)  # fmt: skip
def test_what_is_not_shown_or_no_content_is_no_text(part):
    assert (
        "X"
        not in read_page(f"<main><h1>Loans</h1><p>The clerk renews them.</p>{part}<p>The end of it.</p></main>").text
    )


@pytest.mark.parametrize("odd", ["\x01", "&#1;", "&#x1F;", "&#xFFFE;", "\x0b", "\ufffe", "&#xD800;", "\0"])
def test_characters_that_no_tree_takes_cost_no_page(odd):
    steps = "".join(f"<li>Press {odd}button {n}{odd} and wait.</li>" for n in range(30))
    page = (
        f"<body><nav>{odd}Menu{odd}</nav>{odd}<main><h1>How{odd} to</h1>{odd}<ol>{steps}</ol>{odd}</main>{odd}</body>"
    )
    text = read_page(page).text
    assert "button 29" in text
    assert not set(text) & set("\0\x01\x0b\x1f\ufffe")
