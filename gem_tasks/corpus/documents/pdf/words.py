"""The words and the ruled lines of a page, with their positions, from pdfium.

Positions are in points; `y` grows downwards from the top of the page, as people read.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import pypdfium2 as _untyped_pdfium
import pypdfium2.raw as _untyped_raw

pdfium, raw = cast("Any", _untyped_pdfium), cast("Any", _untyped_raw)

_MOST_CHARS = 200_000
_MOST_OBJECTS, _MOST_POINTS = 20_000, 20_000
_SPACE = frozenset(map(ord, " \t\r\n\f\v\u00a0\u3000\u2028\u2029"))
_HYPHENS = frozenset({0x2, 0xFFFE, 0xAD})
"""How pdfium marks a hyphen at the end of a line, and a soft hyphen."""
_NAME_BYTES = 200
_END = 0x110000
_APART = 0.06
"""Of the height: characters of different sizes with more space between them are not of one word."""
_THIN, _SHORT = 3.0, 6.0
_BOLD = (b"bold", b"black", b"heavy", b"cmbx", b"sfbx")
"""Parts of fonts' names; the weight that pdfium tells is a guess from the width of stems."""
_MONO = (b"mono", b"courier", b"consol", b"menlo", b"typewriter", b"cmtt", b"code")


class Word(NamedTuple):
    """A word on a page."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    bold: bool
    mono: bool

    @property
    def height(self) -> float:
        """Of its line, from ascenders to descenders."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Vertical centre."""
        return (self.top + self.bottom) / 2


class Rule(NamedTuple):
    """A horizontal or vertical line, as tables have."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def upright(self) -> bool:
        """Whether it is vertical."""
        return self.bottom - self.top > self.right - self.left


@dataclass(slots=True)
class PageContent:
    """What is on a page."""

    width: float
    height: float
    words: list[Word]
    rules: list[Rule]
    chars: int = 0
    unmapped: int = 0
    """Characters whose font does not say what they mean."""


def read_words(page: Any) -> PageContent:
    """Reads a page; text beyond a bound of characters, which no page has, is not read.

    Args:
        page: an open `pypdfium2.PdfPage`.
    """
    width, height = page.get_size()
    turned = page.get_rotation()
    left, bottom, right, top = page.get_mediabox() if turned else (0, 0, width, height)
    frame = _Frame(turned, left, bottom, right, top) if turned else _Frame(0, *_cropped(page))
    found = PageContent(width, height, [], [])
    text = page.get_textpage()
    try:
        found.words = list(_words(text.raw, frame, found))
    finally:
        text.close()
    found.rules = list(_rules(page, frame))
    return found


def _cropped(page: Any) -> tuple[float, float, float, float]:
    return page.get_cropbox()


class _Frame(NamedTuple):
    """Converts positions of the file, which grow upwards and ignore the page's rotation."""

    turned: int
    left: float
    bottom: float
    right: float
    top: float

    def box(self, x0: float, y0: float, x1: float, y1: float) -> "_Box":
        """`(left, right, top, bottom)` on the page as it is shown."""
        corners = [self._point(x0, y0), self._point(x1, y1)]
        xs, ys = sorted(x for x, _ in corners), sorted(y for _, y in corners)
        return xs[0], xs[1], ys[0], ys[1]

    def _point(self, x: float, y: float) -> tuple[float, float]:
        if self.turned == 90:
            return y - self.bottom, x - self.left
        if self.turned == 180:
            return self.right - x, y - self.bottom
        if self.turned == 270:
            return self.top - y, self.right - x
        return x - self.left, self.top - y


_Box = tuple[float, float, float, float]
"""`(left, right, top, bottom)`."""


def _words(text: Any, frame: _Frame, found: PageContent) -> Iterator[Word]:
    boxes, fonts = _Boxes(text, frame), _Fonts(text)
    for begin, letters in _spans(text):
        found.chars += len(letters)
        # A sample is enough to tell whether a page can be read, and every question costs.
        found.unmapped += len(letters) * (raw.FPDFText_HasUnicodeMapError(text, begin) == 1 or _is_private(letters[0]))
        for start, end, box in _together(boxes, begin, len(letters)):
            yield _finished(letters[start - begin : end - begin], box, fonts.of(start))


def _spans(text: Any) -> Iterator[tuple[int, list[int]]]:
    """`(index of the first, codes)` of characters without a space in between."""
    letters: list[int] = []
    count = min(raw.FPDFText_CountChars(text), _MOST_CHARS)
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text, index)
        if code and code not in _SPACE:
            letters.append(code)
        elif letters:
            yield index - len(letters), letters
            letters = []
    if letters:
        yield count - len(letters), letters


class _Boxes:
    """Places of characters, with the height of their line."""

    def __init__(self, text: Any, frame: _Frame) -> None:
        self._text, self._frame, self._rect = text, frame, raw.FS_RECTF()

    def of(self, index: int) -> _Box:
        rect = self._rect
        raw.FPDFText_GetLooseCharBox(self._text, index, rect)
        return self._frame.box(rect.left, rect.bottom, rect.right, rect.top)


def _together(boxes: _Boxes, begin: int, count: int) -> Iterator[tuple[int, int, _Box]]:
    """`(first, end, box)` of the words in a span: the file may jump to another place without a space."""
    first, last = boxes.of(begin), boxes.of(begin + count - 1)
    if count == 1 or (_near(first, last, count) and not _differ(first, last)):
        yield begin, begin + count, _around(first, last)
        return
    start, around, before = begin, first, first
    for index in range(begin + 1, begin + count):
        box = boxes.of(index)
        if not _near(before, box, 2) or (
            _differ(before, box) and box[0] - before[1] > _APART * (before[3] - before[2])
        ):
            yield start, index, around
            start, around = index, box
        around, before = _around(around, box), box
    yield start, begin + count, around


def _near(box: _Box, other: _Box, count: int) -> bool:
    """Whether two characters are on one line, and no further apart than `count` of them are wide."""
    height = max(box[3] - box[2], 1.0)
    apart = max(other[1] - box[1], box[0] - other[0])
    return abs(box[2] + box[3] - other[2] - other[3]) < height and apart < height * count


def _differ(box: _Box, other: _Box) -> bool:
    """Whether the second is smaller, but not as small as a raised number: a list's label may touch its text."""
    return 0.75 < (other[3] - other[2]) / max(box[3] - box[2], 1.0) < 0.9


def _around(box: _Box, other: _Box) -> _Box:
    return min(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), max(box[3], other[3])


def _is_private(code: int) -> bool:
    return 0xE000 <= code <= 0xF8FF or code == 0xFFFD


def _finished(codes: list[int], box: _Box, font: tuple[bool, bool]) -> Word:
    text = "".join("\u00ad" if code in _HYPHENS else chr(code) for code in codes if code < _END)
    if any("\ud800" <= char <= "\udfff" for char in text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Word(text, *box, *font)


class _Fonts:
    """`(bold, of one width)` by character."""

    def __init__(self, text: Any) -> None:
        self._text = text
        self._name = ctypes.create_string_buffer(_NAME_BYTES)
        self._flags = ctypes.c_int()

    def of(self, index: int) -> tuple[bool, bool]:
        size = raw.FPDFText_GetFontInfo(self._text, index, self._name, _NAME_BYTES, self._flags)
        name = self._name.value.lower() if 0 < size <= _NAME_BYTES else b""
        return any(mark in name for mark in _BOLD), any(mark in name for mark in _MONO)


def _rules(page: Any, frame: _Frame) -> Iterator[Rule]:
    points = 0
    for number in range(min(raw.FPDFPage_CountObjects(page.raw), _MOST_OBJECTS)):
        item = raw.FPDFPage_GetObject(page.raw, number)
        if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_PATH:
            continue
        points += max(raw.FPDFPath_CountSegments(item), 0)
        if points > _MOST_POINTS:
            return
        for start, end in _strokes(item):
            left, right, top, bottom = frame.box(*start, *end)
            if (right - left < _THIN) != (bottom - top < _THIN) and max(right - left, bottom - top) >= _SHORT:
                yield Rule(left, right, top, bottom)


def _strokes(path: Any) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The straight parts of a path."""
    matrix, x, y = raw.FS_MATRIX(), ctypes.c_float(), ctypes.c_float()
    raw.FPDFPageObj_GetMatrix(path, matrix)
    begun = last = (0.0, 0.0)
    for number in range(raw.FPDFPath_CountSegments(path)):
        segment = raw.FPDFPath_GetPathSegment(path, number)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        here = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            begun = here
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield last, here
        if raw.FPDFPathSegment_GetClose(segment):
            yield here, begun
        last = here
