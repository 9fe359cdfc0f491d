"""The task that brings one shard through one stage, in the stage's mode.

Online it asks and returns. In batch mode it submits and defers: the triggerer looks at the batch now and then, and no
worker slot or pool slot is held meanwhile. A retry finds the batch that is under way; see `gem_tasks.pipeline.batch`.

Not OpenAIBatchOperator or LLMBatchOperator: docs/adr/0005-batch-mode.md says why.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator

from gem_airflow.bridge import begun, run_context
from gem_airflow.links import SegmentsLink
from gem_airflow.metrics import send_stage
from gem_tasks.domain.stage import StageName

if TYPE_CHECKING:
    from airflow.sdk import Context

    from gem_tasks.pipeline.batch.poll import Pending
    from gem_tasks.pipeline.workspace import Workspace

_LONGEST_WAIT = timedelta(hours=26)
"""An endpoint has 24 hours. When they are over the next try collects what there is."""


class StageOperator(BaseOperator):
    """Brings every segment of one shard to an outcome; asks the model only for what is missing.

    Args:
        stage: which one.
        shard: partition and number.
        kwargs: of every operator.
    """

    template_fields = ("stage", "shard")
    operator_extra_links = (SegmentsLink(),)

    def __init__(self, *, stage: StageName, shard: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage: StageName = stage
        self.shard = shard

    def execute(self, context: "Context") -> dict[str, Any]:
        """The whole stage online, or up to the first submission."""
        from gem_tasks.pipeline.batch.run import submit
        from gem_tasks.pipeline.shard.run import run_shard

        work, run = begun(), run_context()
        stage, partition, shard = self.stage, self.shard["partition"], self.shard["shard"]
        if not work.options.asks_for(stage):
            self.log.info("This run does not ask for %s: %s", stage, ", ".join(work.options.stages))
            return dict(self.shard)
        if pending := submit(work, stage, partition, shard, run):  # in online mode only what is out from before
            self._wait(work, pending)
        try:
            return run_shard(work, stage, partition, shard, run).model_dump()
        finally:  # what a failing try brought in was paid for too
            self._measure(work)

    def collected(self, context: "Context", event: dict[str, Any]) -> dict[str, Any]:
        """Takes in what has ended, and waits again for what was sent after it."""
        from gem_tasks.pipeline.batch.poll import Pending
        from gem_tasks.pipeline.batch.run import collect

        work = begun()
        try:
            found = collect(work, Pending.model_validate(event), run_context())
        except BaseException:
            self._measure(work)  # what a failing try brought in was paid for too
            raise
        if isinstance(found, Pending):
            self._wait(work, found)
        self._measure(work)
        return found.model_dump()

    def _measure(self, work: "Workspace") -> None:
        """Sends metrics; a database that is away, which the task itself reports, spoils nothing here."""
        from psycopg import Error

        from gem_tasks.errors import GemError
        from gem_tasks.pipeline.upkeep.observed import observed

        try:
            send_stage(observed(work, self.stage, self.shard["partition"], self.shard["shard"], run_context()))
        except (GemError, Error) as error:
            self.log.warning("no metrics of this try: %s", error)

    def _wait(self, work: "Workspace", pending: "Pending") -> NoReturn:
        from gem_airflow.batch_trigger import BatchTrigger

        trigger = BatchTrigger(pending.model_dump(mode="json"), work.settings.llm_batch_poll_s)
        self.defer(trigger=trigger, method_name="collected", timeout=_LONGEST_WAIT)
