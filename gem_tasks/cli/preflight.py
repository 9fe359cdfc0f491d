"""What is cheaper to find out before a run than in its logs."""

import asyncio

from gem_tasks.corpus.sources import list_objects
from gem_tasks.local.doctor import offered_models
from gem_tasks.settings import Settings


def preflight(settings: Settings, source: str) -> None:
    """Whether the source has something to read, and the endpoint takes the key and knows the models.

    Raises:
        UserError: one of them does not; says what to do.
    """
    next(list_objects(source))
    asyncio.run(offered_models(settings))
