"""What a person sees of a page, by a browser, and of Markdown, by a CommonMark renderer; compared letter by letter."""

import html
import re
import unicodedata

from markdown_it import MarkdownIt

_END = re.compile(r"[\n\t]+|(?<=[.!?。！？])\s+")
_SHOWN = """selector => {
    for (const each of document.querySelectorAll("details")) each.open = true;
    for (const each of document.querySelectorAll("[role=tabpanel], .accordion-body")) {
        each.hidden = false; each.style.display = "block";
    }
    for (const each of document.querySelectorAll("nav")) each.remove();
    const main = document.querySelector(selector);
    return main && [main.innerText, [...main.querySelectorAll("li, dd")].map(each => each.innerText)];
}"""


def flat(text):
    """Letters and digits only."""
    return "".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def sentences(text):
    return [part for part in map(flat, _END.split(text)) if part]


def in_browser(tab, source, selector="body"):
    """`(sentences, first sentence of every item)` that the browser shows in an element; None without it."""
    tab.set_content(source, wait_until="domcontentloaded")
    shown = tab.evaluate(_SHOWN, selector)
    return shown and (sentences(shown[0]), [part for item in shown[1] for part in sentences(item)[:1]])


def words_of_markdown(text):
    """All words that a renderer shows."""
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    without_marks = re.sub(
        r"<!--.*?-->|<(?:style|script).*?</(?:style|script)>|</?[a-zA-Z][^<>]*>", " ", rendered, flags=re.S
    )
    return re.findall(r"[^\W_]+", html.unescape(without_marks))
