"""How the models of the stages want to be asked, as calls have found out."""

import logging

from gem_tasks.domain.base import Value
from gem_tasks.errors import StoreError
from gem_tasks.llm.dialects.memory import Known, remembered
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)


class Dialects(Value):
    """All that is remembered."""

    models: tuple[Known, ...]
    """By endpoint and model."""


def dialects(work: Workspace) -> Dialects:
    """What is remembered, by endpoint and model; nothing while the store does not answer."""
    try:
        return Dialects(models=tuple(remembered(work.store)))
    except StoreError as error:
        logger.warning("dialects cannot be read: %s", error)
        return Dialects(models=())
