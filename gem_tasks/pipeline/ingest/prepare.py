"""The part of ingestion that needs no other service: normalise, segment, sign. Pure, so any process can run it."""

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
    """Settings that decide how a source's documents are prepared."""

    license: str | None
    """License of documents that state none."""
    target_tokens: int
    max_tokens: int
    min_chars: int
    signed: bool
    """Whether GEM looks for near duplicates."""

    @classmethod
    def of(cls, source: Source, settings: Settings, most: int | None = None) -> "Rules":
        """The source's settings, otherwise the common ones, limited to what the models accept.

        Args:
            source: its explicit sizes are used even if they exceed a model's window.
            settings: the common settings.
            most: tokens of the largest segment that all models accept.
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
    """A document with its segments and their signatures, or with a reason why it has none."""

    document: Document
    segments: list[Segment]
    signatures: list[Signature]


def prepare(
    raws: Sequence[RawDocument], rules: Rules, within: Callable[[], AbstractContextManager[None]] = nullcontext
) -> list[Prepared]:
    """Prepares each document, in order. A document that crashes a parser gets a reason; the others continue.

    Args:
        raws: documents as read.
        rules: rules of their source.
        within: context manager that limits the cost of each document.
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
        logger.exception("cannot prepare %r", raw.uri)
        return without_text(raw, rules, IngestReason.UNREADABLE, why_broken(error))


def without_text(raw: RawDocument, rules: Rules, reason: IngestReason, detail: str) -> Prepared:
    """The document without segments, and the reason why."""
    return _prepare(raw.model_copy(update={"text": "", "reason": reason, "detail": detail}), rules)


def why_broken(error: Exception) -> str:
    """The parser's error message, as one line that can be stored."""
    return f"{type(error).__name__}: {first_line(error)}".encode("utf-8", "replace").decode()


def _prepare(raw: RawDocument, rules: Rules) -> Prepared:
    document, text = normalise(raw, rules.min_chars)
    if document.license is None and rules.license:
        document = document.model_copy(update={"license": rules.license})
    cut = [] if document.reason else segment(text, document, rules.target_tokens, rules.max_tokens)
    if raw.places:
        cut = [each.model_copy(update={"place": raw.places.of(each.start, each.end)}) for each in cut]
    return Prepared(document, cut, signatures([each.text for each in cut]) if rules.signed else [])
