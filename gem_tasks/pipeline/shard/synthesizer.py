"""The stages of the synthesizer over a shard. They run before `extract`, in the same task, and spare it some texts."""

import logging

from gem_tasks.domain.stage import SYNTHESIZER_LINE, StageName
from gem_tasks.errors import EndpointError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.shard.run import ShardReport, run_shard
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)


def synthesize_first(
    work: Workspace, name: StageName, partition: str, shard: int, run: RunContext
) -> list[ShardReport]:
    """Before `extract`, and with a synthesizer, brings the shard's texts through its stages; always online.

    An endpoint that does not answer holds no text: on the last try the texts go through the other stages. A later run
    asks it again only for texts that these have not begun with.

    Raises:
        UserError: the endpoint refuses the key, does not know the model, or refuses every request, or the budget of the
            run is spent.
        EndpointError: the endpoint failed, and this is not the last try.
    """
    line = work.with_synthesizer
    if name != "extract" or line is None or not work.options.asks_for("synthesize"):
        return []
    register_recipes(line)
    reports: list[ShardReport] = []
    try:
        for stage in SYNTHESIZER_LINE[1:]:
            reports.append(run_shard(line, stage, partition, shard, run))
    except EndpointError as error:
        if not run.last_try:
            raise
        logger.warning("the synthesizer does not answer, its texts go through the other stages: %s", error)
    return reports
