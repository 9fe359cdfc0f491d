"""How large new segments may be: as set, or less where a model of the pipeline is known to take less.

A corpus is cut before any model has seen it, so only what is known by then counts: what `GEM_LLM_CONTEXT_WINDOW` says,
and what was found out before. It is not part of the recipes, as a source's own sizes are not: it holds for documents
that are new, those that are there keep their segments. A window of 9,800 tokens and more changes nothing by default.
"""

import logging
from collections.abc import Iterator

from gem_tasks.domain.stage import StageName
from gem_tasks.errors import UserError
from gem_tasks.llm.dialect import PLAIN
from gem_tasks.llm.memory import Memory
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)

_BESIDE: dict[StageName, int] = {
    "filter": 1100, "extract": 3000, "generate": 4100, "refine": 7400, "validate": 6300,
}  # fmt: skip
"""Tokens that prompt and answer of a stage usually take beside the segment: medians of examples/corpus. A second chance
takes more, and is left out where it does not fit."""
_LEAST = 300
"""Smaller pieces teach nothing; what then does not fit fails, and says so."""


def most_tokens(work: Workspace) -> int | None:
    """Tokens of the largest segment that all stages can take; None where no window is known."""
    known = list(_windows(work))
    if not known:
        return None
    most, stage, window = min((max(_LEAST, window - _BESIDE[stage]), stage, window) for stage, window in known)
    if most < work.settings.segment_max_tokens:
        logger.warning(
            "segments of new documents are cut to %d tokens at most, instead of %d: model %r, stage %s, takes %d",
            most, work.settings.segment_max_tokens, work.settings.model_for(stage), stage, window,
        )  # fmt: skip
    return most


def _windows(work: Workspace) -> Iterator[tuple[StageName, int]]:
    found: dict[tuple[str, str], int | None] = {}
    settings = work.settings
    for stage in _BESIDE:
        try:
            place = settings.endpoint_for(stage), settings.model_for(stage)
        except UserError:  # documents can be taken in before there is an endpoint
            return
        if place not in found:
            found[place] = Memory(work.store, place[0]).recall(place[1], PLAIN).window
        if window := settings.options_for(stage).context_window or found[place]:
            yield stage, window
