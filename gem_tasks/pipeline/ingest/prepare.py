"""What ingestion does to a document without asking anybody: normalise, cut, sign. Pure, so any process can do it."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from gem_tasks.corpus.near import Signature, signatures
from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.segment import segment
from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Document, IngestReason, RawDocument, Segment, Source
from gem_tasks.errors import first_line
from gem_tasks.pipeline.ingest.limits import CPU_S, MEMORY_BYTES, TooExpensiveError
from gem_tasks.settings import Settings

logger = logging.getLogger(__name__)


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
    def of(cls, source: Source, settings: Settings, most: int | None = None) -> "Rules":
        """The source's own settings, else the common ones, as far as the models can take it.

        Args:
            source: its own sizes are meant, whatever a model takes.
            settings: the common ones.
            most: tokens of a segment that all models can take.
        """
        largest = min(settings.segment_max_tokens, most or settings.segment_max_tokens)
        return cls(
            license=source.license,
            target_tokens=source.target_tokens or min(settings.segment_target_tokens, largest),
            max_tokens=source.max_tokens or largest,
            min_chars=settings.segment_min_chars if source.min_chars is None else source.min_chars,
            signed=bool(settings.near_duplicate),
        )


class Prepared(NamedTuple):
    """A document, with its segments and their signatures unless it has a reason to have none."""

    document: Document
    segments: list[Segment]
    signatures: list[Signature]


def prepare(
    raws: Sequence[RawDocument], rules: Rules, within: Callable[[], AbstractContextManager[None]] = nullcontext
) -> list[Prepared]:
    """One for each, in order. A document that a parser trips over gets a reason; it does not stop the others.

    Args:
        raws: the documents.
        rules: of their source.
        within: what limits the cost of each.
    """
    return [_guarded(raw, rules, within) for raw in raws]


def _guarded(raw: RawDocument, rules: Rules, within: Callable[[], AbstractContextManager[None]]) -> Prepared:
    try:
        with within():
            return _prepare(raw, rules)
    except TooExpensiveError:
        return without_text(
            raw, rules, IngestReason.TOO_EXPENSIVE, f"preparing it takes more than {CPU_S} s of CPU time"
        )
    except MemoryError:
        detail = f"preparing it takes more than {MEMORY_BYTES >> 20} MB of memory"
        return without_text(raw, rules, IngestReason.TOO_EXPENSIVE, detail)
    except Exception as error:
        logger.exception("%r cannot be prepared", raw.uri)
        return without_text(raw, rules, IngestReason.UNREADABLE, why_broken(error))


def without_text(raw: RawDocument, rules: Rules, reason: IngestReason, detail: str) -> Prepared:
    """The document as one that has a reason to have no segments."""
    return _prepare(raw.model_copy(update={"text": "", "reason": reason, "detail": detail}), rules)


def why_broken(error: Exception) -> str:
    """What a parser that tripped says, in one line that can be stored."""
    return f"{type(error).__name__}: {first_line(error)}".encode("utf-8", "replace").decode()


def _prepare(raw: RawDocument, rules: Rules) -> Prepared:
    document, text = normalise(raw, rules.min_chars)
    if document.license is None and rules.license:
        document = document.model_copy(update={"license": rules.license})
    cut = [] if document.reason else segment(text, document, rules.target_tokens, rules.max_tokens)
    return Prepared(document, cut, signatures([each.text for each in cut]) if rules.signed else [])
