"""MDX to Markdown: without imports, exports and components; the text in and of components stays."""

import re
from collections.abc import Iterator

from gem_tasks.corpus.markdown.blocks import Kind, blocks

_STATEMENT = re.compile(r"(?:import|export)\b")
_TAG = re.compile(r"<(/?)([A-Z][A-Za-z0-9_.]*)|<(/?)>|\{/\*|`[^`\n]{0,300}`")
"""Also code within a line, which may look like a tag."""
_WORDS = re.compile(r"""\b(?:title|label|summary|header|heading|caption)=(?:"([^"]{1,300})"|'([^']{1,300})')""")
_QUOTES = "\"'`"
_LONGEST = 20_000
"""Characters of a tag or a statement."""


def mdx_to_markdown(text: str) -> str:
    """The Markdown of a page. Code blocks stay as they are."""
    return "".join(text[block.start : block.end] if block.kind is Kind.CODE else _plain(text[block.start : block.end])
                   for block in _joined(text))  # fmt: skip


def _joined(text: str) -> Iterator["_Part"]:
    """Code, and everything between: a tag may reach over several blocks."""
    start = end = 0
    for block in blocks(text):
        if block.kind is Kind.CODE:
            if end > start:
                yield _Part(Kind.PARAGRAPH, start, end)
            yield _Part(Kind.CODE, block.start, block.end)
            start = block.end
        end = block.end
    if end > start:
        yield _Part(Kind.PARAGRAPH, start, end)


class _Part:
    def __init__(self, kind: Kind, start: int, end: int) -> None:
        self.kind, self.start, self.end = kind, start, end


def _plain(text: str) -> str:
    text = _without_statements(text)
    parts: list[str] = []
    position = 0
    while match := _TAG.search(text, position):
        parts.append(text[position : match.start()])
        if match[0][0] == "`":
            parts.append(match[0])
            position = match.end()
        elif match[0] == "{/*":
            end = text.find("*/}", match.end())
            position = end + 3 if end >= 0 else match.end()
        elif match[2] is None:
            position = match.end()
        else:
            end = _end(text, match.end(), ">")
            parts.append(_said(text[match.end() : end]) if not match[1] else "")
            position = end
    parts.append(text[position:])
    return "".join(parts)


def _said(attributes: str) -> str:
    """Titles that a component shows."""
    words = [match[1] or match[2] for match in _WORDS.finditer(attributes)]
    return f"\n\n**{' '.join(words)}**\n\n" if words else ""


def _end(text: str, start: int, mark: str) -> int:
    """One past the mark that ends a tag, outside of quotes and braces; the start, if there is none nearby."""
    depth, quote = 0, ""
    for at in range(start, min(len(text), start + _LONGEST)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        elif char in "{[(":
            depth += 1
        elif char in "}])":
            depth -= 1
        elif char == mark and depth <= 0 and text[at - 1] != "=":
            return at + 1
    return start


def _without_statements(text: str) -> str:
    """Without imports and exports, which begin at the beginning of a line and end with an empty one."""
    kept: list[str] = []
    inside = False
    previous = ""
    for line in text.splitlines(keepends=True):
        begins = not previous.strip() or inside
        if begins and _STATEMENT.match(line):
            inside = True
        elif not line.strip():
            inside = False
        if not inside:
            kept.append(line)
        previous = line
    return "".join(kept)
