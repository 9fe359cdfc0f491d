"""The project's pages as their parts: what they link to, name in code spans and show in code blocks."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        ROOT / "README.md",
        *(path for path in (ROOT / "docs").rglob("*.md") if path.name != "licences.md"),
        *(ROOT / "benchmarks").rglob("*.md"),
        *(path for path in (ROOT / "teacher").rglob("*.md")),
    ]
)
HOOKS = ROOT / "tools" / "docs" / "hooks.py"
GENERATED = {
    ROOT / "docs" / name
    for name in (re.findall(r'^ +"([\w/-]+\.md)":', HOOKS.read_text("utf-8"), re.MULTILINE) if HOOKS.exists() else ())
}
"""Pages that the site makes of the code."""
_MARKDOWN = MarkdownIt("commonmark").enable("table")


class Page(NamedTuple):
    """One page."""

    path: Path
    text: str
    links: tuple[str, ...]
    """Targets of links and images, as written."""
    spans: tuple[str, ...]
    """Inline code."""
    blocks: tuple[tuple[str, str], ...]
    """Language and text of code blocks."""
    anchors: frozenset[str]
    """What a link may have after `#`."""

    @property
    def name(self):
        return str(self.path.relative_to(ROOT))


@cache
def page(path: Path) -> Page:
    """One page, read."""
    text = path.read_text(encoding="utf-8")
    tokens = _MARKDOWN.parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    titles = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return Page(
        path,
        text,
        tuple(str(token.attrs.get("href") or token.attrs.get("src")) for token in inline if token.type in LINKS),
        tuple(token.content for token in inline if token.type == "code_inline"),
        tuple((token.info.strip(), token.content) for token in tokens if token.type in ("fence", "code_block")),
        frozenset(map(slug, titles)),
    )


LINKS = ("link_open", "image")


def slug(title: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def pages() -> list[Page]:
    """All of them."""
    return [page(path) for path in PAGES]
