"""The size limit of new segments: as configured, or smaller if a model of the pipeline has a smaller known window.

A corpus is segmented before any model has seen it, so only what is known by then counts: `GEM_LLM_CONTEXT_WINDOW`, and
windows learned earlier. The limit is not part of the recipes, as a source's explicit sizes are not: it applies to new
documents, and existing ones keep their segments. A window of 10,200 tokens or more changes nothing by default.
"""

import logging
from collections.abc import Iterator

from gem_tasks.domain.stage import StageName
from gem_tasks.errors import UserError
from gem_tasks.llm.dialects.dialect import PLAIN
from gem_tasks.llm.dialects.memory import Memory
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)

_BESIDE: dict[StageName, int] = {
    "filter": 1100, "extract": 3000, "generate": 4500, "refine": 7800, "validate": 6300,
}  # fmt: skip
"""Tokens that a stage's prompt and answer usually take besides the segment: medians over examples/corpus. A repair
request takes more, and is left out where it does not fit."""
_LEAST = 300
"""Smaller segments teach nothing; a stage that cannot fit this size fails with an error."""


def most_tokens(work: Workspace) -> int | None:
    """Tokens of the largest segment that all stages accept; None if no window is known."""
    known = list(_windows(work))
    if not known:
        return None
    most, stage, window = min((max(_LEAST, window - _BESIDE[stage]), stage, window) for stage, window in known)
    if most < work.settings.segment_max_tokens:
        logger.warning(
            "new documents get segments of up to %d tokens instead of %d: model %r of stage %s has a window of %d",
            most, work.settings.segment_max_tokens, work.settings.model_for(stage), stage, window,
        )  # fmt: skip
    return most


def _windows(work: Workspace) -> Iterator[tuple[StageName, int]]:
    found: dict[tuple[str, str], int | None] = {}
    settings = work.settings
    for stage in _BESIDE:
        try:
            place = settings.endpoint_for(stage), settings.model_for(stage)
        except UserError:  # documents can be ingested before an endpoint is configured
            return
        if place not in found:
            found[place] = Memory(work.store, place[0]).recall(place[1], PLAIN).window
        if window := settings.options_for(stage).context_window or found[place]:
            yield stage, window
