"""Decodes bytes: byte order mark, UTF-8, the declared encoding of a page or server, then a guess; or a reason."""

import codecs
import re
import unicodedata
from io import BytesIO

import webencodings
from charset_normalizer import from_bytes

from gem_tasks.domain.corpus import IngestReason

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1))
"""Encodings with several bytes per character: how many, and the position of the lowest."""
_SAMPLE_BYTES = 65_536
_WIDE_SAMPLE_BYTES = 8192
_MIN_WIDE_ZEROS = 0.005
"""Even CJK text has some line ends and ASCII digits, whose upper bytes are zero."""
_MAX_LOW_ZEROS = 0.25
"""U+3000, the space of CJK, has a zero low byte; in a text with ASCII digits it is rarer than they are."""
_MIN_GUESS_BYTES = 100
"""Shorter data tells too little about an encoding."""
_MAX_CONTROL_SHARE = 0.1
_MAX_CHAOS = 0.1
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"
_GOOD_PER_BROKEN = 20
"""With this many valid multi-byte characters per broken one it is damaged UTF-8, not another encoding."""
_DECLARED = re.compile(rb"""(?:charset|<\?xml[^>]{0,100}encoding)\s*+=\s*+["']?\s*+([\w.:-]{1,40})""", re.IGNORECASE)
_DECLARED_WITHIN = 2048
_SHIFTED = re.compile(rb"\x1b\$[@B]|\x1b\(J")
"""ISO-2022-JP switches to Japanese; all its bytes are ASCII."""
_CODECS = {
    "gbk": ("gb18030",),
    "euc-jp": ("euc_jp", "euc_jis_2004"),
    "big5": ("big5hkscs", "cp950"),
    "iso-2022-jp": ("iso2022_jp_ext", "iso2022_jp_3"),
}
"""Python's codecs that are closest to browsers' behaviour, where webencodings names a narrower one."""
_CODE_PAGES = ("cp", "iso", "mac", "koi", "euc", "big5", "johab", "tis")
_NOT_DECODED = frozenset({"replacement", "x-user-defined", "utf-8", "utf-16le", "utf-16be"})
"""Labels that tell nothing about bytes that are not UTF-8 and have no byte order mark."""


def decode(data: bytes, declared: str | None = None) -> str | IngestReason:
    """The text, or the reason why there is none: `binary` or `bad_encoding`.

    Args:
        data: the whole document.
        declared: encoding given from outside, such as a server's `charset`; any label that browsers know.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data, encoding)
    if wide := wide_encoding(data):
        return _strict(data, wide)
    sample = data[:_SAMPLE_BYTES]
    if len(sample) - len(sample.translate(None, _CONTROL)) > _MAX_CONTROL_SHARE * len(sample):
        return IngestReason.BINARY
    if _SHIFTED.search(data) and (text := _by_label(data, "iso-2022-jp")):
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if b"\0" in sample:
            return IngestReason.BINARY
        return _damaged_utf8(data) or _legacy(data, declared)


def wide_encoding(data: bytes) -> str | None:
    """Detects UTF-16 or UTF-32 without a byte order mark by the places of zeros, and by a result that is text."""
    sample = data[:_WIDE_SAMPLE_BYTES]
    if sample.count(0) < _MIN_WIDE_ZEROS * len(sample) or len(sample) < len(_WIDE):
        return None
    for encoding, width, low in _WIDE:
        whole = sample[: len(sample) // width * width]
        zeros = [whole[at::width].count(0) for at in range(width)]
        upper = sum(zeros) - zeros[low]
        if (
            zeros[low] <= _MAX_LOW_ZEROS * upper
            and upper >= (width - 2) * len(whole) // width
            and _is_text(whole, encoding)
        ):
            return encoding
    return None


def _is_text(sample: bytes, encoding: str) -> bool:
    # The sample may end within a surrogate pair.
    text = sample.decode(encoding, "replace")[:-1]
    odd = sum(unicodedata.category(each) in ("Cc", "Cn", "Co", "Cs") for each in text if each not in "\t\n\r\f")
    return odd + text.count("\ufffd") <= 0.01 * len(text)


def _foreign_lines(data: bytes) -> bytes:
    """The first lines that are not ASCII, up to the size of a sample; one line at a time, as there may be millions."""
    sample = bytearray()
    for line in BytesIO(data):
        if not line.isascii():
            sample += line
        if len(sample) > _SAMPLE_BYTES:
            break
    return bytes(sample.removesuffix(b"\n")[:_SAMPLE_BYTES])


def _strict(data: bytes, encoding: str) -> str | IngestReason:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return IngestReason.BAD_ENCODING


def _damaged_utf8(data: bytes) -> str | None:
    """Decodes UTF-8 that was cut in the middle of a character, or has a stray byte: marks broken characters."""
    return _bearable(data, "utf-8")


def _bearable(data: bytes, encoding: str) -> str | None:
    """The text with U+FFFD for broken parts, if they are few compared with its valid foreign characters."""
    text = data.decode(encoding, "replace")
    broken = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text if good >= broken * _GOOD_PER_BROKEN else None


def _by_label(data: bytes, label: str | None) -> str | IngestReason | None:
    """Decodes as browsers do for this label; None if they would not use its encoding here."""
    names = _codecs_of(label) if label else ()
    texts = (_strict(data, name) for name in names)
    sound = next((text for text in texts if text is not IngestReason.BAD_ENCODING), None)
    return sound or (_bearable(data, names[0]) or IngestReason.BAD_ENCODING if names else None)


def _codecs_of(label: str) -> tuple[str, ...]:
    """Python's names for a label's encoding, the likeliest first."""
    encoding = webencodings.lookup(label)
    if encoding is None:
        try:
            # Spellings that browsers do not know, such as latin-1, and code pages such as cp437.
            name = codecs.lookup(label).name
        except (LookupError, ValueError):
            return ()
        encoding = webencodings.lookup(name)
        if encoding is None:
            return (name,) if name.startswith(_CODE_PAGES) else ()
    if encoding.name in _NOT_DECODED:
        return ()
    return _CODECS.get(encoding.name, (encoding.codec_info.name,))


def _legacy(data: bytes, declared: str | None) -> str | IngestReason:
    """Single-byte and East Asian encodings: as declared, or guessed by charset-normalizer."""
    within = _DECLARED.search(data[:_DECLARED_WITHIN])
    for label in (declared, within[1].decode("ascii", "replace") if within else None):
        if found := _by_label(data, label):
            return found
    # Much plain English around a few foreign words would favour an encoding in which they make no sense.
    sample = _foreign_lines(data)
    if len(sample) < _MIN_GUESS_BYTES:
        return IngestReason.BAD_ENCODING
    matches = from_bytes(sample)
    best = matches.best()
    if best is None or best.chaos > _MAX_CHAOS:
        return IngestReason.BAD_ENCODING
    # Among equals it takes the alphabetically first, Central European; far more text is Western European.
    western = any("cp1252" in (match.encoding, *match.could_be_from_charset) for match in matches if match == best)
    equal = any(match.encoding == "cp1252" and match.chaos <= best.chaos for match in matches)
    return _strict(data, "cp1252" if western or equal else best.encoding)
