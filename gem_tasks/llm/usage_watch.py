"""Tells people what is wrong with the tokens that an endpoint reports: in the log, and in what is remembered of it."""

import asyncio
import logging
from collections import defaultdict

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.llm.memory import Known, Memory
from gem_tasks.llm.usage import Trust

logger = logging.getLogger(__name__)


class UsageWatch:
    """Of one client, or of one visit for batches.

    Args:
        memory: of the endpoint.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._trust: defaultdict[str, Trust] = defaultdict(Trust)
        self._told: dict[str, str] = {}

    def look(self, request: ChatRequest, completion: Completion) -> bool:
        """Takes the next reply into account; whether there is news to `tell`."""
        trust = self._trust[request.model]
        trust.look(request, completion)
        verdict = trust.verdict
        if verdict is None or verdict == self._told.get(request.model):
            return False
        self._told[request.model] = verdict
        return True

    def tell(self, known: Known) -> None:
        """Remembers the news of a model, if what is known of it says otherwise. Writes to the store."""
        verdict = self._told[known.model]
        if verdict == known.usage_fault:
            return
        if verdict:
            logger.warning("token counts of %s at %s are %s", known.model, known.endpoint, verdict)
        self._memory.saw_usage(known.model, known.dialect, verdict)

    async def tell_aside(self, known: Known) -> None:
        """The same from an event loop."""
        await asyncio.to_thread(self.tell, known)
