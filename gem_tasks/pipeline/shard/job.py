"""One stage over one shard in one run: its place, and how the stage asks."""

from dataclasses import dataclass

from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.stage import StageName
from gem_tasks.lineage import Place, RunContext
from gem_tasks.pipeline.recipes import Asking
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.pipeline.worlds.proved import proved
from gem_tasks.stages.base import Stage
from gem_tasks.store import keys


@dataclass(frozen=True, slots=True)
class ShardJob:
    """Identity only; `Outcomes` has the results of the shard's records."""

    work: Workspace
    name: StageName
    place: Place
    run: RunContext

    @classmethod
    def of(cls, work: Workspace, name: StageName, partition: str, shard: int, run: RunContext) -> "ShardJob":
        """The stage over this shard under the current recipe."""
        return cls(work, name, Place(recipe_id=work.chain.id_of(name), partition=partition, shard=shard), run)

    @property
    def stage(self) -> Stage:
        """The stage, with the configured format of answers and its proof."""
        return proved(self.work.chain.stage(self.name), self.work.settings.sandbox)

    @property
    def recipe(self) -> Recipe:
        """The recipe under which outcomes are recorded."""
        return self.work.chain.by_stage[self.name]

    @property
    def asking(self) -> Asking:
        """How the stage asks under the run's recipes."""
        return self.work.chain.asking(self.name)

    @property
    def key(self) -> str:
        """Key of the object that holds the outcomes."""
        return keys.stage_key(self.name, self.place.recipe_id, self.place.partition, self.place.shard)

    def proven(self) -> bool:
        """Whether the endpoint has ever answered a request of the recipe."""
        with self.work.ledger() as ledger:
            return ledger.stages.recipe_answered(self.place.recipe_id)
