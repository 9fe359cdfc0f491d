"""The request formats of the stages' models, as learned from calls."""

import logging

from gem_tasks.domain.base import Value
from gem_tasks.errors import StoreError
from gem_tasks.llm.dialects.memory import Known, remembered
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)


class Dialects(Value):
    """All remembered dialects."""

    models: tuple[Known, ...]
    """Sorted by endpoint and model."""


def dialects(work: Workspace) -> Dialects:
    """All remembered dialects, by endpoint and model; empty if the store does not answer."""
    try:
        return Dialects(models=tuple(remembered(work.store)))
    except StoreError as error:
        logger.warning("dialects cannot be read: %s", error)
        return Dialects(models=())
