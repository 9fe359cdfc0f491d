"""Raw documents to documents: clean text, a title, a language, an identity, or the reason why not."""

import re
import unicodedata
from typing import NamedTuple

from gem_tasks.corpus import html
from gem_tasks.corpus.language import detect
from gem_tasks.domain.corpus import Document, IngestReason, RawDocument, content_hash, document_id

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEADING = re.compile(r"^#{1,3}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
# Controls, zero-width characters and direction overrides carry no words, but can hide some.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffe\uffff]"
)


class Normalised(NamedTuple):
    """A document and its text; the text is empty when the document has a reason."""

    document: Document
    text: str


def normalise(raw: RawDocument, min_chars: int) -> Normalised:
    """Cleans and identifies one document.

    Args:
        raw: as a reader found it.
        min_chars: shorter texts are rejected as `too_short`.
    """
    text, title = ("", raw.title) if raw.reason else _content(raw)
    reason, detail = (raw.reason, raw.detail) if raw.reason else _verdict(text, min_chars)
    # What has no text is known by where and which version it is, so that a mended file is a new document.
    digest = content_hash(text) if text else content_hash(f"{raw.etag}\0{reason}")
    document = Document(
        document_id=document_id(raw.uri, digest),
        uri=raw.uri,
        etag=raw.etag,
        content_hash=digest,
        title=title,
        license=raw.license,
        language=raw.language or (detect(text) if text else None),
        chars=len(text),
        metadata=raw.metadata,
        reason=reason,
        detail=detail,
    )
    return Normalised(document, "" if reason else text)


def clean(text: str) -> str:
    """Unicode NFC, plain line breaks, no invisible characters, no trailing blanks, at most one empty line in a row."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INVISIBLE.sub("", text)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _content(raw: RawDocument) -> tuple[str, str | None]:
    """Clean text and title."""
    text, title = raw.text, raw.title
    if raw.media_type == "text/html":
        title = title or html.title_of(text)
        return clean(html.to_text(text)), title
    text = clean(text)
    if raw.media_type == "text/markdown":
        if front := _FRONT_MATTER.match(text):
            title = title or _front_title(front[1])
            text = text[front.end() :]
        text = clean(_COMMENT.sub("", text))
        heading = _HEADING.search(text[:2000])
        title = title or (heading[1][:300] if heading else None)
    return text, title


def _front_title(block: str) -> str | None:
    match = re.search(r"^title:[ \t]*['\"]?(.+?)['\"]?[ \t]*$", block, re.MULTILINE)
    return match[1][:300] if match else None


def _verdict(text: str, min_chars: int) -> tuple[IngestReason | None, str]:
    if not text:
        return IngestReason.EMPTY, "no text"
    if len(text) < min_chars:
        return IngestReason.TOO_SHORT, f"{len(text)} characters, at least {min_chars} expected"
    return None, ""
