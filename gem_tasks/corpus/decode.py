"""Bytes to text: byte order mark, then UTF-8, then what a page declares, then a good guess; or a reason."""

import codecs
import re

from charset_normalizer import from_bytes

from gem_tasks.domain.corpus import IngestReason

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 65_536
_MIN_GUESS_BYTES = 100
"""Less says too little about an encoding."""
_MAX_CONTROL_SHARE = 0.1
_MAX_CHAOS = 0.1
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"
_GOOD_PER_BROKEN = 20
"""So many sound multi-byte characters for each broken one make it UTF-8 with damage, not another encoding."""
_DECLARED = re.compile(
    rb"""charset\s*=\s*["']?(iso-8859-\d+|windows-\d+|koi8-[ru]|shift_jis|euc-jp|euc-kr|gb2312|gbk|gb18030|big5)\b""",
    re.IGNORECASE,
)


def decode(data: bytes) -> str | IngestReason:
    """The text, or why there is none: `binary` or `bad_encoding`."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data, encoding)
    sample = data[:_SAMPLE_BYTES]
    if len(sample) - len(sample.translate(None, _CONTROL)) > _MAX_CONTROL_SHARE * len(sample):
        return IngestReason.BINARY
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if b"\0" in sample:
            return IngestReason.BINARY
        return _damaged_utf8(data) or _legacy(data)


def _strict(data: bytes, encoding: str) -> str | IngestReason:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return IngestReason.BAD_ENCODING


def _damaged_utf8(data: bytes) -> str | None:
    """UTF-8 that was cut in the middle of a character, or holds a stray byte: the broken characters are marked."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text if good >= broken * _GOOD_PER_BROKEN else None


def _legacy(data: bytes) -> str | IngestReason:
    """Single-byte and East Asian encodings: as declared, or guessed by charset-normalizer."""
    if declared := _DECLARED.search(data[:2048]):
        encoding = declared[1].decode().lower()
        # Browsers read the first as the second, because that is what people meant.
        return _strict(data, "cp1252" if encoding == "iso-8859-1" else encoding)
    # A lot of plain English around a few foreign words would decide for an encoding in which they make no sense.
    sample = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE_BYTES]
    if len(sample) < _MIN_GUESS_BYTES:
        return IngestReason.BAD_ENCODING
    matches = from_bytes(sample)
    best = matches.best()
    if best is None or best.chaos > _MAX_CHAOS:
        return IngestReason.BAD_ENCODING
    # Among equals it takes the first in the alphabet, Central European; far more text is Western European.
    western = any("cp1252" in (match.encoding, *match.could_be_from_charset) for match in matches if match == best)
    equal = any(match.encoding == "cp1252" and match.chaos <= best.chaos for match in matches)
    return _strict(data, "cp1252" if western or equal else best.encoding)
