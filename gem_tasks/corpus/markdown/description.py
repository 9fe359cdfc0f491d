"""The parts of Markdown that describe a document rather than belong to its text."""

import re
import tomllib
from typing import NamedTuple

from gem_tasks.corpus.markdown.blocks import Kind, blocks
from gem_tasks.corpus.markdown.comments import without_comments

_FRONT_MATTER = re.compile(r"(---|\+\+\+)\n(.{0,20000}?)\n(?:\1|\.\.\.)(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(title|license|lang)[ \t]*[:=][ \t]*(.+)$", re.MULTILINE)
_KEY = re.compile(r"""(["']?)([A-Za-z_][\w.-]*)\1[ \t]*:(?:[ \t]+(.*))?""")
_CLOSING = re.compile(r"[\]}],?")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+)$|^(\S.{0,150})\n(?:={3,}|-{3,})$", re.MULTILINE)
_TITLE_WITHIN = 2000
_KEYS = frozenset(
    """abstract aliases article author authors banner categories category comments cover created date description
    doctype draft excerpt feed head hero hide id image keywords lang language lastmod layout licence license linktitle
    locale menu modified nav order orphan outline pagetitle parent permalink position published redirect series sidebar
    slug subject subtitle summary tag tagline tags template thumbnail title toc translations type uid updated url
    version weight""".split()
)
"""Page fields of site generators and notebooks; `ms.topic`, `nav_order` and similar ones are recognised by form."""


class Page(NamedTuple):
    """A Markdown text without its wrapping."""

    text: str
    fields: dict[str, str]
    """`title`, `license` and `lang` of the front matter."""


def unwrap(text: str) -> Page:
    """Removes front matter and HTML comments."""
    front = _FRONT_MATTER.match(text)
    if front is None or not (_is_toml(front[2]) if front[1] == "+++" else _is_mapping(front[2])):
        return Page(without_comments(text), {})
    fields = {match[1]: match[2].strip(" \t'\"") for match in _FIELD.finditer(front[2])}
    return Page(without_comments(text[front.end() :]), fields)


def first_heading(text: str) -> str | None:
    """The first heading near the beginning, without its marks; comments in code do not count."""
    beginning = text[:_TITLE_WITHIN]
    fenced = "```" in beginning or "~~~" in beginning
    code = [block for block in blocks(beginning) if block.kind is Kind.CODE] if fenced else []
    for match in _HEADING.finditer(beginning):
        if not any(block.start <= match.start() < block.end for block in code):
            return (match[1] or match[2]).strip("# \t")
    return None


def _is_mapping(between: str) -> bool:
    """Whether this is a page's metadata, not text between two thematic breaks, which may also have colons.

    Read line by line, because front matter is often invalid YAML (`title: Loans: how to`).
    """
    keys: list[str] = []
    open_value = False
    for line in between.split("\n"):
        if not line or line[0] == "#" or (keys and (line[0] in " \t" or _CLOSING.fullmatch(line))):
            continue
        if open_value and (line == "-" or line.startswith("- ")):
            continue
        match = _KEY.fullmatch(line)
        if match is None:
            return False
        keys.append(match[2])
        open_value = not match[3]
    return any(key in _KEYS or re.search(r"[a-z][._-][a-z]", key) for key in keys)


def _is_toml(between: str) -> bool:
    try:
        return bool(tomllib.loads(between))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
