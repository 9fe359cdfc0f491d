"""Draws the card's plots as SVG, which a Markdown page shows as pictures in any location.

Written by hand because a plotting library would be the largest thing that publishing loads. Names come from documents
and models: ElementTree escapes them, and what cannot be printed is left out.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from xml.etree.ElementTree import Element, SubElement, tostring

_WIDTH, _LINE, _NAMES, _MARGIN = 720, 22, 230, 12
_PLOT = 180
"""Height of columns."""
_MOST = 15
_LONGEST = 34
_INK, _FILLS = "#1f2328", ("#9aa7b4", "#2f6feb")


def bars(title: str, found: Mapping[str, int]) -> bytes:
    """Draws the most frequent names as bars, in the given order."""
    shown = list(islice(found.items(), _MOST))
    rest = len(found) - len(shown)
    picture = _picture(f"{title}, {rest} more not shown" if rest else title, _LINE * len(shown))
    longest, room = max(found.values(), default=0) or 1, _WIDTH - _NAMES - 70
    for place, (name, count) in enumerate(shown):
        y, width = _MARGIN + _LINE * (place + 1), max(1.0, count / longest * room)
        _text(picture, _NAMES - 8, y + 15, _printable(name), anchor="end")
        _box(picture, _NAMES, y + 3, width, _LINE - 6, _FILLS[1])
        _text(picture, _NAMES + width + 6, y + 15, str(count))
    return tostring(picture, encoding="utf-8", xml_declaration=True)


def columns(title: str, names: Sequence[str], series: Mapping[str, Sequence[int]]) -> bytes:
    """Draws columns side by side.

    Args:
        title: text above the columns.
        names: names under the groups of columns.
        series: up to two, each with as many values as there are names.
    """
    picture = _picture(title, _PLOT + 2 * _LINE)
    highest = max((value for values in series.values() for value in values), default=0) or 1
    pitch = (_WIDTH - 2 * _MARGIN) / max(1, len(names))
    width, floor = min(40.0, pitch * 0.8 / max(1, len(series))), _MARGIN + _LINE + _PLOT
    for number, (label, values) in enumerate(series.items()):
        _box(picture, _MARGIN + 160 * number, floor + 28, 12, 12, _FILLS[number])
        _text(picture, _MARGIN + 160 * number + 18, floor + 38, label)
        for place, value in enumerate(values):
            x, height = _MARGIN + pitch * place + width * number, value / highest * (_PLOT - 16)
            _box(picture, x, floor - height, width - 1, height, _FILLS[number])
            if value:
                _text(picture, x + width / 2, floor - height - 3, str(value), anchor="middle", size=9)
    for place, name in enumerate(names):
        _text(picture, _MARGIN + pitch * place + width * len(series) / 2, floor + 15, name, anchor="middle", size=10)
    return tostring(picture, encoding="utf-8", xml_declaration=True)


def _picture(title: str, height: float) -> Element:
    whole = height + 2 * _MARGIN + _LINE
    picture = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {whole}", role="img")
    picture.set("font-family", "system-ui, sans-serif")
    SubElement(picture, "title").text = title
    _box(picture, 0, 0, _WIDTH, whole, "#ffffff")  # a page may be dark
    _text(picture, _MARGIN, _MARGIN + 11, title, size=14)
    return picture


def _box(picture: Element, x: float, y: float, width: float, height: float, fill: str) -> None:
    numbers = {"x": x, "y": y, "width": width, "height": height}
    SubElement(picture, "rect", {name: f"{value:.1f}" for name, value in numbers.items()}, fill=fill)


def _text(picture: Element, x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "font-size": str(size), "fill": _INK, "text-anchor": anchor}
    SubElement(picture, "text", place).text = text


def _printable(name: str) -> str:
    plain = "".join(sign for sign in " ".join(name.split()) if sign.isprintable())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
