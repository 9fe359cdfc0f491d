"""The content of a page: removes navigation, banners and hidden parts around it, and nothing within it.

If a page does not mark its content, an extractor finds *where* it is. The extractor omits single paragraphs, headings
and items, so its output is never used as the text. The text is everything in the smallest element around its finds,
except what the page's author marked as something else.
"""

from collections.abc import Callable, Iterator
from typing import Any

from gem_tasks.corpus.text.scripts import words
from gem_tasks.patterns import IgnoringCase

_NEVER_SHOWN = frozenset({"script", "style", "noscript", "template", "iframe", "object", "head"})
_ROLES = frozenset({"contentinfo", "search", "menu", "menubar", "toolbar", "dialog", "alertdialog"})
_FURNITURE = IgnoringCase(
    r"(?:^|[-_ ])(?:nav|navigation|menu|sidebar|toc|tableofcontents|pagination|pager|share|sharing|social|related"
    r"|footer|skip|skiplink|newsletter|comments?|disqus|advert|promo|popular)(?:$|[-_ ])",
)
_ALWAYS = IgnoringCase(r"(?:^|[-_ ])(?:navbar|navheader|navfooter|breadcrumbs?|sphinxsidebar)(?:$|[-_ ])")
"""Names that always mean navigation, with links or without."""
_NOTICE = IgnoringCase(
    r"cookie[-_]?(?:banner|bar|notice|consent|law|popup)|gdpr|sr-only|visually-?hidden|screen-reader|headerlink",
)
"""Names of overlays, and of parts for screen readers."""
_UNFOLDS = IgnoringCase(r"tab|accordion|collaps|panel|expand|fold|toggle|content|step")
"""Names of parts that a click shows."""
_HIDDEN_STYLE = IgnoringCase(r"display\s*:\s*none|visibility\s*:\s*hidden")
_LINKS = 0.5
"""An element named like navigation is navigation if its share of text in links reaches this."""
_FEW_LINKS = 0.1
_MOST = 0.3
"""A part with a larger share of the page's text is never navigation, regardless of its name."""
_MAIN = 0.25
_RUN = 4
_SCRAP, _LEGAL = 40, 300
"""Largest size, in characters, of what may be cut at the edges: any text, and legal notices."""
_RIGHTS = IgnoringCase(r"©|\(c\) ?\d{4}|all rights reserved")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BOXES = frozenset("div section aside ul ol dl menu table td form p".split())
_FLOW = frozenset("p ol ul dl pre h2 h3 h4".split())
_LEAVES = frozenset("p li dt dd td th h1 h2 h3 h4 h5 h6 pre blockquote figcaption summary caption div section".split())
_DESCEND = frozenset("html body div main article section td tr tbody table center form span font".split())


class Sizes:
    """Characters of text and of link text in each element; counted once."""

    def __init__(self, root: Any) -> None:
        self._text: dict[Any, int] = {}
        self._links: dict[Any, int] = {}
        for element in _bottom_up(root):
            linked = element.tag == "a"
            text, links = _length(element.text), 0
            for child in element:
                text += self._text.get(child, 0) + _length(child.tail)
                links += self._links.get(child, 0)
            self._text[element], self._links[element] = text, text if linked else links

    def text(self, element: Any) -> int:
        """Characters without white space."""
        return self._text.get(element, 0)

    def linked(self, element: Any) -> float:
        """Share of the text in links."""
        return self._links.get(element, 0) / max(1, self._text.get(element, 0))


def prune(root: Any) -> None:
    """Removes from the tree hidden parts, and parts that the author marked as not this page's content."""
    sizes = Sizes(root)
    whole = sizes.text(root)
    for element in list(root.iter()):
        if element is root or not isinstance(element.tag, str):
            continue
        small = sizes.text(element) <= _MOST * whole
        if _not_shown(element) or _is_navigation(element) or (small and _is_furniture(element, sizes)):
            _remove(element)
        elif element.get("role") == "tabpanel":
            _label(element, root)


def main_element(root: Any, extract: Callable[[], str | None]) -> Any:
    """Finds the element with the content.

    Args:
        root: a pruned tree.
        extract: returns the content that an extractor finds in the same page; called if the page does not mark it.
    """
    sizes = Sizes(root)
    enough = _MAIN * sizes.text(root)
    for marked in (root.xpath("//main | //*[@role='main']"), root.xpath("//article")):
        largest = max(marked, key=sizes.text, default=None)
        others = sum(sizes.text(each) for each in marked if each is not largest and largest not in each.iterancestors())
        if largest is not None and sizes.text(largest) >= max(enough, 1) and others <= sizes.text(largest) // 2:
            return largest
    extracted = extract()
    return _around(root, extracted) if extracted else root


def page_heading(root: Any, main: Any) -> Any | None:
    """The page's only top-level heading, if it precedes the content and the content has none."""
    if main is root or next(main.iter("h1"), None) is not None:
        return None
    headings = list(root.iter("h1"))
    if len(headings) != 1:
        return None
    # With the subtitle beside it, unless that is among links.
    around = headings[0].getparent()
    apart = around not in (root, root.find("body")) and main not in around.iter()
    return around if apart and Sizes(around).linked(around) < _FEW_LINKS else headings[0]


def _around(root: Any, extracted: str) -> Any:
    """The smallest element with all extracted text; parts before its beginning and after its end are removed."""
    found = words(extracted)
    known = {tuple(found[at : at + _RUN]) for at in range(max(1, len(found) - _RUN + 1))}
    lines = {" ".join(words(line)) for line in extracted.split("\n")}
    sizes = Sizes(root)
    covered: dict[Any, int] = {}
    for element in _bottom_up(root):
        covered[element] = sum(covered.get(child, 0) for child in element)
        if sizes.linked(element) > _LINKS:
            covered[element] = 0
        elif not covered[element] and element.tag in _LEAVES:
            covered[element] = _covered(element, known, lines)
    found = root
    while covered[found] and (child := _only_covered(found, covered, sizes)) is not None:
        found = child
    if covered[found]:
        _trim(found, covered, sizes)
    return found


def _only_covered(element: Any, covered: dict[Any, int], sizes: Sizes) -> Any | None:
    """The child with all extracted text, if the others are only links and scraps."""
    child = next((each for each in element if covered.get(each, 0) == covered[element]), None)
    if child is None or child.tag not in _DESCEND or _length(element.text):
        return None
    others = (each for each in element if each is not child)
    aside = all(not _length(each.tail) and (sizes.linked(each) > _LINKS or _is_scrap(each, sizes)) for each in others)
    return child if aside and not _length(child.tail) else None


def _covered(element: Any, known: set[tuple[str, ...]], lines: set[str]) -> int:
    text = " ".join(element.itertext())
    found = words(text)
    if len(text) < _LEGAL and _RIGHTS.search(text):
        return 0
    if len(found) < _RUN:
        return len(found) if " ".join(found) in lines else 0
    runs = [tuple(found[at : at + _RUN]) for at in range(len(found) - _RUN + 1)]
    return len(found) if 2 * sum(run in known for run in runs) >= len(runs) else 0


def _trim(found: Any, covered: dict[Any, int], sizes: Sizes) -> None:
    """Removes links and scraps before the first and after the last part that is covered or has a heading."""
    for order in (1, -1):
        for child in list(found)[::order]:
            before = child.getprevious()
            if covered.get(child) or _has_heading(child) or (before is not None and before.tag in _HEADINGS):
                break
            if isinstance(child.tag, str) and (sizes.linked(child) > _LINKS or _is_scrap(child, sizes)):
                _remove(child)


def _is_scrap(element: Any, sizes: Sizes) -> bool:
    if _has_heading(element) or next(element.iter("li", "pre"), None) is not None:
        return False
    length = sizes.text(element)
    return length < _SCRAP or (length < _LEGAL and bool(_RIGHTS.search("".join(element.itertext()))))


def _has_heading(element: Any) -> bool:
    return next(element.iter(*_HEADINGS), None) is not None


def _not_shown(element: Any) -> bool:
    if element.tag in _NEVER_SHOWN:
        return True
    if element.tag == "dialog":
        return element.get("open") is None
    hidden = element.get("hidden") is not None or bool(_HIDDEN_STYLE.search(element.get("style") or ""))
    if not hidden or element.get("hidden") == "until-found" or element.get("role") == "tabpanel":
        return False
    return not _UNFOLDS.search(_names(element))


def _is_navigation(element: Any) -> bool:
    """Whether an element is navigation, regardless of its share of the page."""
    marked = element.tag == "nav" or element.get("role") == "navigation" or _ALWAYS.search(_names(element))
    return bool(marked) and next(element.iter("main", "article"), None) is None


def _is_furniture(element: Any, sizes: Sizes) -> bool:
    tag = element.tag
    if tag == "footer":
        return next(element.iterancestors("blockquote"), None) is None
    if element.get("role") in _ROLES:
        return True
    beside = tag == "aside" or element.get("role") == "complementary"
    if (beside or tag == "header") and not _in_content(element):
        return beside or next(element.iter("h1"), None) is None
    names = _names(element)
    if _NOTICE.search(names):
        return True
    return tag in _BOXES and bool(_FURNITURE.search(names)) and sizes.linked(element) > _LINKS


def _in_content(element: Any) -> bool:
    """Whether it is inside an article, or among paragraphs and lists, as notes are."""
    if next(element.iterancestors("main", "article", "section"), None) is not None:
        return True
    return any(each.tag in _FLOW for each in element.getparent())


def _names(element: Any) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def _label(panel: Any, root: Any) -> None:
    """Puts the label of a tab before its contents, because the text contains all tabs."""
    names = (panel.get("aria-labelledby") or "").split()
    label: Any = next(iter(root.xpath("//*[@id=$name]", name=names[0])), None) if names else None
    words = " ".join("".join(label.itertext()).split()) if label is not None else ""
    if words:
        label = panel.makeelement("p")
        label.text, label.tail, panel.text = words, panel.text, None
        panel.insert(0, label)


def _remove(element: Any) -> None:
    if element.getparent() is not None:
        element.tail = f" {element.tail or ''}"
        element.drop_tree()


def _bottom_up(root: Any) -> Iterator[Any]:
    return iter(list(root.iter())[::-1])


def _length(text: str | None) -> int:
    return len("".join(text.split())) if text else 0
