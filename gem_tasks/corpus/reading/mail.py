"""E-mails: `.eml`, one document, and `.mbox`, one for each message. Attachments are left out, and named."""

import email
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import IO

from gem_tasks.corpus.reading.decode import decode
from gem_tasks.corpus.reading.identity import record_name
from gem_tasks.corpus.reading.lines import lines
from gem_tasks.corpus.reading.records import refused
from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.corpus.text.clean import one_line
from gem_tasks.domain.corpus import IngestReason, RawDocument

_CHUNK = 1 << 20
_SUBJECT_CHARS, _HEADER_CHARS, _NAME_CHARS = 300, 5000, 200
_NAMED = 20
_MOST_PARTS = 1000
_ESCAPED = re.compile(rb"^>+From ")
_LONGEST_HEADER = 32 << 10
"""Python's parser takes quadratic time for the parameters of these."""
_LONG = re.compile(rb"^content-[a-z-]+:(?:[^\r\n]|\r?[\r\n][ \t]){%d}" % _LONGEST_HEADER, re.IGNORECASE | re.MULTILINE)
_TOO_LONG = f"a header has more than {_LONGEST_HEADER} bytes"
_TEXTS = ("text/plain", "text/html")


def read_eml(found: SourceObject, data: bytes) -> RawDocument:
    """The message of a file."""
    if _LONG.search(data):
        return refused(found, None, IngestReason.BAD_RECORD, _TOO_LONG)
    return _message(found, found.uri, data)


def read_mbox(found: SourceObject, stream: IO[bytes], limit: int) -> Iterator[RawDocument]:
    """The messages of an archive, identified by their Message-ID.

    Args:
        found: the file.
        stream: its bytes, unpacked.
        limit: largest size of a message in bytes; a larger one is `too_large`.
    """
    for number, data in enumerate(_messages(stream, limit), start=1):
        if data is None:
            yield refused(found, number, IngestReason.TOO_LARGE, f"message {number} has more than {limit} bytes")
        elif number == 1 and not data.startswith(b"From "):
            yield refused(found, None, IngestReason.UNREADABLE, "it does not begin with a message (`From `)")
            return
        else:
            yield _guarded(found, number, data.partition(b"\n")[2])


def _messages(stream: IO[bytes], limit: int) -> Iterator[bytes | None]:
    """Each message with its `From ` line; None for one over the limit."""
    message, size, after_blank = bytearray(), 0, True
    for _, line in lines(iter(lambda: stream.read(_CHUNK), b""), limit):
        if line is not None and after_blank and line.startswith(b"From ") and size:
            yield None if size > limit else bytes(message)
            message, size = bytearray(), 0
        size += limit + 1 if line is None else len(line) + 1
        if line is not None and size <= limit:
            message += _ESCAPED.sub(lambda match: match[0][1:], line) + b"\n"
        after_blank = not line
    if size:
        yield None if size > limit else bytes(message)


def _guarded(found: SourceObject, number: int, data: bytes) -> RawDocument:
    if _LONG.search(data):
        return refused(found, number, IngestReason.BAD_RECORD, f"message {number}: {_TOO_LONG}")
    try:
        return _message(found, None, data)
    except (ValueError, LookupError, RecursionError, HeaderParseError, AttributeError, TypeError) as error:
        detail = f"message {number} cannot be read ({type(error).__name__})"
        return refused(found, number, IngestReason.BAD_RECORD, detail)


def _message(found: SourceObject, uri: str | None, data: bytes) -> RawDocument:
    message = email.message_from_bytes(data)
    parts = [part for _, part in zip(range(_MOST_PARTS), message.walk(), strict=False) if not part.is_multipart()]
    left_out = [_name(part) for part in parts if _is_attachment(part)]
    bodies = [part for part in parts if not _is_attachment(part)]
    kind, text = _text(bodies)
    subject = one_line(_header(message["Subject"]), _SUBJECT_CHARS)
    key = _header(message["Message-ID"]).strip("<> \t\r\n")
    about = {"date": one_line(_header(message["Date"]), _NAME_CHARS), "attachments_left_out": left_out[:_NAMED]}
    raw = RawDocument(
        uri=uri or f"{found.uri}#{record_name(key, data.decode('latin-1'))}",
        etag=found.etag,
        object_key=found.uri,
        media_type=kind,
        title=subject,
        metadata={name: value for name, value in about.items() if value},
    )
    if isinstance(text, IngestReason):
        return raw.model_copy(update={"reason": text})
    if not text.strip() and left_out:
        return raw.model_copy(update={"reason": IngestReason.EMPTY, "detail": f"only attachments: {left_out[0]}"})
    # The text of an e-mail rarely says what it is about.
    heading = "" if not subject else f"<h1>{_escaped(subject)}</h1>" if kind == "text/html" else f"# {subject}\n\n"
    return raw.model_copy(update={"text": heading + text})


def _is_attachment(part: "Message[str, str]") -> bool:
    return part.get_content_disposition() == "attachment" or part.get_content_type() not in _TEXTS


def _name(part: "Message[str, str]") -> str:
    name = part.get_filename()
    return one_line(name or "", _NAME_CHARS) or part.get_content_type()[:_NAME_CHARS]


def _text(bodies: "list[Message[str, str]]") -> tuple[str, str | IngestReason]:
    """`(media type, text)`: plain if there is some, otherwise HTML."""
    texts = {kind: [part for part in bodies if part.get_content_type() == kind] for kind in _TEXTS}
    for kind, parts in texts.items():
        decoded = [_decoded(part) for part in parts]
        if broken := next((each for each in decoded if isinstance(each, IngestReason)), None):
            return kind, broken
        if whole := "\n\n".join(each for each in decoded if each.strip()):
            return kind, whole
    return "text/plain", ""


def _decoded(part: "Message[str, str]") -> str | IngestReason:
    data = part.get_payload(decode=True)
    return decode(data, part.get_content_charset()) if isinstance(data, bytes) else ""


def _header(value: object) -> str:
    """A header's text; words in unknown encodings stay as they are."""
    text = str(value or "")[:_HEADER_CHARS]
    try:
        pieces = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(_piece(piece, charset) for piece, charset in pieces)


def _piece(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    text = decode(piece, charset)
    return piece.decode("latin-1") if isinstance(text, IngestReason) else text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
