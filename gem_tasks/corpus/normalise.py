"""Turns raw documents into documents: clean text, a title, a language, an identity, or a reason for rejection."""

from typing import NamedTuple

from gem_tasks.corpus.html.page import read_page
from gem_tasks.corpus.markdown.description import first_heading, unwrap
from gem_tasks.corpus.markup.asciidoc import asciidoc_to_markdown
from gem_tasks.corpus.markup.mdx import mdx_to_markdown
from gem_tasks.corpus.markup.rst import rst_to_markdown
from gem_tasks.corpus.text.clean import clean, one_line
from gem_tasks.corpus.text.language import code, detect
from gem_tasks.corpus.text.scripts import letters
from gem_tasks.domain.corpus import Document, IngestReason, RawDocument, content_hash, document_id

_TITLE_CHARS = 300
_LICENSE_CHARS = 200
_MARKUP = {"text/asciidoc": asciidoc_to_markdown, "text/x-rst": rst_to_markdown}


class Normalised(NamedTuple):
    """A document and its text; the text is empty if the document has a reason."""

    document: Document
    text: str


class _Content(NamedTuple):
    """A document's text, and its description of itself."""

    text: str = ""
    title: str | None = None
    license: str | None = None
    language: str | None = None


def normalise(raw: RawDocument, min_chars: int) -> Normalised:
    """Cleans and identifies one document.

    Args:
        raw: a document from a reader. A record's claims outweigh its text.
        min_chars: shorter texts are rejected as `too_short`; counted in letters, and a Chinese character counts as
            three.
    """
    found = _Content() if raw.reason else _content(raw)
    reason, detail = (raw.reason, raw.detail) if raw.reason else _verdict(found.text, min_chars)
    # A document without text is identified by its place and version, so that a fixed file is a new document.
    digest = content_hash(found.text) if found.text else content_hash(f"{raw.etag}\0{reason}")
    document = Document(
        document_id=document_id(raw.uri, digest),
        uri=raw.uri,
        etag=raw.etag,
        object_key=raw.object_key,
        fingerprint=raw.fingerprint(),
        content_hash=digest,
        title=one_line(raw.title or found.title or "", _TITLE_CHARS),
        license=one_line(raw.license or found.license or "", _LICENSE_CHARS),
        language=code(raw.language) or code(found.language) or detect(found.text),
        chars=len(found.text),
        metadata=raw.metadata,
        reason=reason,
        detail=detail,
    )
    return Normalised(document, "" if reason else found.text)


def _content(raw: RawDocument) -> _Content:
    if raw.media_type == "text/html":
        page = read_page(raw.text)
        text = clean(page.text)
        return _Content(text, page.title or first_heading(text))
    if raw.media_type in ("text/markdown", "text/mdx"):
        text, fields = unwrap(clean(raw.text))
        text = mdx_to_markdown(text) if raw.media_type == "text/mdx" else text
        text = clean(text)
        title = fields.get("title") or first_heading(text)
        return _Content(text, title, fields.get("license"), fields.get("lang"))
    if convert := _MARKUP.get(raw.media_type):
        text = clean(convert(clean(raw.text)))
        return _Content(text, first_heading(text))
    return _Content(clean(raw.text))


def _verdict(text: str, min_chars: int) -> tuple[IngestReason | None, str]:
    if not text:
        return IngestReason.EMPTY, "no text"
    if len(text) < min_chars and letters(text) < min_chars:
        return IngestReason.TOO_SHORT, f"{letters(text)} letters, at least {min_chars} expected"
    return None, ""
