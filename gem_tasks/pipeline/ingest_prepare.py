"""What ingestion does to a document without asking anybody: normalise, cut, sign. Pure, so any process can do it."""

from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.corpus.near import Signature, signatures
from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.segment import segment
from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Document, RawDocument, Segment, Source
from gem_tasks.settings import Settings


class Rules(Value):
    """What decides how a source's documents are prepared."""

    license: str | None
    """Of documents that name none."""
    target_tokens: int
    max_tokens: int
    min_chars: int
    signed: bool
    """Whether near duplicates are looked for."""

    @classmethod
    def of(cls, source: Source, settings: Settings) -> "Rules":
        """The source's own settings, else the common ones."""
        return cls(
            license=source.license,
            target_tokens=source.target_tokens or settings.segment_target_tokens,
            max_tokens=source.max_tokens or settings.segment_max_tokens,
            min_chars=settings.segment_min_chars if source.min_chars is None else source.min_chars,
            signed=bool(settings.near_duplicate),
        )


class Prepared(NamedTuple):
    """A document, with its segments and their signatures unless it has a reason to have none."""

    document: Document
    segments: list[Segment]
    signatures: list[Signature]


def prepare(raws: Sequence[RawDocument], rules: Rules) -> list[Prepared]:
    """One for each, in order."""
    found: list[Prepared] = []
    for raw in raws:
        document, text = normalise(raw, rules.min_chars)
        if document.license is None and rules.license:
            document = document.model_copy(update={"license": rules.license})
        cut = [] if document.reason else segment(text, document, rules.target_tokens, rules.max_tokens)
        found.append(Prepared(document, cut, signatures([each.text for each in cut]) if rules.signed else []))
    return found
