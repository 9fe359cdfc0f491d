"""Reports wrong token counts of an endpoint: in the log, and in its memory."""

import asyncio
import logging
from collections import defaultdict

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.llm.dialects.memory import Known, Memory
from gem_tasks.llm.usage.counts import Trust

logger = logging.getLogger(__name__)


class UsageWatch:
    """Belongs to one client, or to one poll of batches.

    Args:
        memory: memory of the endpoint.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._trust: defaultdict[str, Trust] = defaultdict(Trust)
        self._told: dict[str, str] = {}

    def look(self, request: ChatRequest, completion: Completion) -> bool:
        """Evaluates the next reply; returns whether there is news to `tell`."""
        trust = self._trust[request.model]
        trust.look(request, completion)
        verdict = trust.verdict
        if verdict is None or verdict == self._told.get(request.model):
            return False
        self._told[request.model] = verdict
        return True

    def tell(self, known: Known) -> None:
        """Saves the news about a model if it differs from what is known. Writes to the store."""
        verdict = self._told[known.model]
        if verdict == known.usage_fault:
            return
        if verdict:
            said = verdict if verdict.startswith("cannot") else f"are {verdict}"
            logger.warning("token counts of %s at %s %s", known.model, known.endpoint, said)
        self._memory.saw_usage(known.model, known.dialect, verdict)

    async def tell_aside(self, known: Known) -> None:
        """Like `tell`, from an event loop."""
        await asyncio.to_thread(self.tell, known)
