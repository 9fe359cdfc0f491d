"""The task that runs one stage over one shard, in the stage's mode.

Online, it calls the model and returns. In batch mode, it submits and defers: the triggerer polls the batch, and the
task holds no worker slot or pool slot meanwhile. A retry finds a running batch; see `gem_tasks.pipeline.batch`.

Not OpenAIBatchOperator or LLMBatchOperator: docs/adr/0005-batch-mode.md says why.
"""

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator

from gem_airflow.bridge import begun, run_context
from gem_airflow.links import SegmentsLink
from gem_airflow.metrics import send_calls, send_stage
from gem_tasks.domain.stage import StageName

if TYPE_CHECKING:
    from collections.abc import Generator

    from airflow.sdk import Context

    from gem_tasks.pipeline.batch.poll import Pending
    from gem_tasks.pipeline.workspace import Workspace

_LONGEST_WAIT = timedelta(hours=26)
"""An endpoint has 24 hours for a batch. After this timeout the next try collects the available results."""


@contextmanager
def _calls_sent() -> "Generator[None]":
    """Sends metrics of the calls that are made inside, however it ends."""
    from gem_tasks.telemetry.calls import recording

    with recording() as calls:
        try:
            yield
        finally:
            send_calls(calls)


class StageOperator(BaseOperator):
    """Brings every segment of one shard to an outcome; asks the model only for missing ones.

    Args:
        stage: name of the stage.
        shard: `partition` and `shard` (its number).
        kwargs: arguments of every Airflow operator.
    """

    template_fields = ("stage", "shard")
    operator_extra_links = (SegmentsLink(),)

    def __init__(self, *, stage: StageName, shard: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage: StageName = stage
        self.shard = shard

    def execute(self, context: "Context") -> dict[str, Any]:
        """Runs the whole stage online, or up to the first batch submission; before `extract`, the synthesizer's."""
        from gem_tasks.pipeline.batch.run import submit
        from gem_tasks.pipeline.shard.run import run_shard
        from gem_tasks.pipeline.shard.synthesizer import synthesize_first

        work, run = begun(), run_context()
        stage, partition, shard = self.stage, self.shard["partition"], self.shard["shard"]
        if not work.options.asks_for(stage):
            self.log.info("This run skips %s; its stages are: %s", stage, ", ".join(work.options.stages))
            return dict(self.shard)
        with _calls_sent():
            synthesize_first(work, stage, partition, shard, run)
            if pending := submit(work, stage, partition, shard, run):  # in online mode: only batches of an earlier run
                self._wait(work, pending)
            try:
                return run_shard(work, stage, partition, shard, run).model_dump()
            finally:  # answers of a failing try were paid for too
                self._measure(work)

    def collected(self, context: "Context", event: dict[str, Any]) -> dict[str, Any]:
        """Collects ended batches; defers again if they led to new ones."""
        from gem_tasks.pipeline.batch.poll import Pending
        from gem_tasks.pipeline.batch.run import collect

        work = begun()
        try:
            with _calls_sent():  # what batches leave may be asked online
                found = collect(work, Pending.model_validate(event), run_context())
        except BaseException:
            self._measure(work)  # answers of a failing try were paid for too
            raise
        if isinstance(found, Pending):
            self._wait(work, found)
        self._measure(work)
        return found.model_dump()

    def _measure(self, work: "Workspace") -> None:
        """Sends metrics. An unavailable database only logs a warning here; the task itself reports it."""
        from psycopg import Error

        from gem_tasks.errors import GemError
        from gem_tasks.pipeline.upkeep.observed import observed

        try:
            send_stage(observed(work, self.stage, self.shard["partition"], self.shard["shard"], run_context()))
        except (GemError, Error) as error:
            self.log.warning("Could not send metrics of this try: %s", error)

    def _wait(self, work: "Workspace", pending: "Pending") -> NoReturn:
        from gem_airflow.batch_trigger import BatchTrigger

        trigger = BatchTrigger(pending.model_dump(mode="json"), work.settings.llm_batch_poll_s)
        self.defer(trigger=trigger, method_name="collected", timeout=_LONGEST_WAIT)
