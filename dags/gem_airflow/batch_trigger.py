"""Polls batches from the triggerer until all have ended.

The triggerer needs `dags/` on its PYTHONPATH.
"""

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from gem_tasks.pipeline.batch.poll import Pending
    from gem_tasks.pipeline.workspace import Workspace

_SHORTEST_S = 3.0
"""If a trigger fires immediately after the deferral, the task can fail: the scheduler still considers it queued."""


class BatchTrigger(BaseTrigger):
    """Fires with `pending` when its batches have ended, or when polling fails in a way that the worker has to report.

    Args:
        pending: `Pending` as JSON. Holds no API key and no URL: those come from the environment or Connections.
        poll_s: seconds between polls.
    """

    def __init__(self, pending: dict[str, Any], poll_s: float) -> None:
        super().__init__()
        self.pending, self.poll_s = pending, poll_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the class path and arguments from which Airflow recreates the trigger."""
        return "gem_airflow.batch_trigger.BatchTrigger", {"pending": self.pending, "poll_s": self.poll_s}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields one event, when it is time to collect."""
        # Imports and Connections are slow, so they stay out of the event loop that all triggers share.
        work, pending = await asyncio.to_thread(_prepare, self.pending)
        ended = False
        while not ended:
            await asyncio.sleep(max(self.poll_s, _SHORTEST_S))
            ended = await self._look(work, pending)
        yield TriggerEvent(self.pending)

    async def _look(self, work: "Workspace", pending: "Pending") -> bool:
        from gem_tasks.errors import RETRYABLE, EndpointError, UserError
        from gem_tasks.pipeline.batch.run import poll

        try:
            progress = await poll(work, pending)
        except EndpointError as error:
            self.log.warning("%s; polling again in %g s", error, self.poll_s)
            return error.error_class not in RETRYABLE
        except UserError as error:
            self.log.warning("%s", error)
            return True
        for line in progress.lines:
            self.log.info("%s", line)
        return progress.ended


def _prepare(pending: dict[str, Any]) -> "tuple[Workspace, Pending]":
    from gem_airflow.bridge import connected
    from gem_tasks.pipeline.batch.poll import Pending

    for name in ("gem_tasks.pipeline.batch.run", "gem_tasks.llm.http.sdk"):  # what `_look` will need
        import_module(name)
    return connected(), Pending.model_validate(pending)
