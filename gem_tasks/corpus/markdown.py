"""The few parts of Markdown that say something about a document rather than in it."""

import re
from typing import NamedTuple

_FRONT_MATTER = re.compile(r"---\n(?=[\w-]+[ \t]*:)(.{0,20000}?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(title|license|lang)[ \t]*:[ \t]*(.+)$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+)$|^(\S.{0,150})\n(?:={3,}|-{3,})$", re.MULTILINE)
_TITLE_WITHIN = 2000


class Page(NamedTuple):
    """A Markdown text without its wrapping."""

    text: str
    fields: dict[str, str]
    """What the front matter has of `title`, `license` and `lang`."""


def unwrap(text: str) -> Page:
    """Takes off front matter and HTML comments."""
    front = _FRONT_MATTER.match(text)
    fields = {match[1]: match[2].strip(" \t'\"") for match in _FIELD.finditer(front[1])} if front else {}
    return Page(_without_comments(text[front.end() :] if front else text), fields)


def first_heading(text: str) -> str | None:
    """The first heading near the beginning, without its marks."""
    match = _HEADING.search(text[:_TITLE_WITHIN])
    return (match[1] or match[2]).strip("# \t") if match else None


def _without_comments(text: str) -> str:
    parts: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts.append(text[position:start])
        position = end + 3
    return "".join([*parts, text[position:]])
