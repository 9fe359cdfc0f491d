"""Bytes to text: byte order mark, then UTF-8, then a guess that must be good; else a reason."""

import codecs

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
_MAX_CONTROL_SHARE = 0.1
_MAX_CHAOS = 0.1
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"


def decode(data: bytes) -> str | IngestReason:
    """The text, or why there is none: `binary` or `bad_encoding`."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                return IngestReason.BAD_ENCODING
    sample = data[:_SAMPLE_BYTES]
    if len(sample) - len(sample.translate(None, _CONTROL)) > _MAX_CONTROL_SHARE * len(sample):
        return IngestReason.BINARY
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _guess(data)


def _guess(data: bytes) -> str | IngestReason:
    """Old single-byte and East Asian encodings, if the result reads like text (charset-normalizer's mess measure)."""
    if b"\0" in data[:_SAMPLE_BYTES]:
        return IngestReason.BINARY
    best = from_bytes(data[:_SAMPLE_BYTES]).best()
    if best is None or best.chaos > _MAX_CHAOS:
        return IngestReason.BAD_ENCODING
    try:
        return data.decode(best.encoding)
    except (UnicodeDecodeError, LookupError):
        return IngestReason.BAD_ENCODING
