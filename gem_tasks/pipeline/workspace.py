"""What a job needs at hand: settings, the object store, the ledger, and the current recipes."""

from dataclasses import dataclass
from typing import Self

from gem_tasks.errors import StoreError
from gem_tasks.lineage import Ledger
from gem_tasks.llm.batch import BatchClient
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.pipeline.journal import Journal
from gem_tasks.pipeline.prompt_files import load_prompts
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.ports import ObjectStore
from gem_tasks.prompts import PromptSet
from gem_tasks.settings import Settings, StageName
from gem_tasks.store import keys, open_store


@dataclass(frozen=True, slots=True)
class Workspace:
    """Built once per task or command from settings."""

    settings: Settings
    store: ObjectStore
    chain: Chain

    @classmethod
    def open(cls, settings: Settings, prompts: PromptSet | None = None) -> Self:
        """Connects to nothing but where GEM_PROMPTS points, and refuses settings that cannot work.

        Args:
            settings: of the edge.
            prompts: those of the run; by default the ones that are there now.

        Raises:
            UserError: the store's URL makes no sense, or a prompt of the user's own does not keep its contract.
            StoreError: GEM_PROMPTS points to a store that does not answer.
        """
        chain = Chain(settings, prompts or load_prompts(settings))
        return cls(settings=settings, store=open_store(settings.store_root), chain=chain)

    def ledger(self) -> Ledger:
        """A new connection to the lineage; a context manager."""
        return Ledger(self.settings.database)

    def client(self, stage: StageName) -> OpenAIClient:
        """A client for the stage's endpoint; an async context manager."""
        return OpenAIClient(
            self.settings.endpoint_for(stage),
            self.settings.key_for(stage),
            concurrency=self.settings.llm_concurrency,
            timeout_s=self.settings.llm_timeout_s,
            max_attempts=self.settings.llm_max_attempts,
            features=self.settings.home.absolute() / "endpoints.json",
        )

    def batches(self, stage: StageName) -> BatchClient:
        """The Batch API of the stage's endpoint; an async context manager."""
        features = self.settings.home.absolute() / "endpoints.json"
        return BatchClient(self.settings.endpoint_for(stage), self.settings.key_for(stage), features)

    def journal(self, recipe_id: str, partition: str, shard: int) -> Journal:
        """The journal of an unfinished shard; nothing is read or written yet."""
        prefix = keys.journal_prefix(recipe_id, partition, shard)
        folder = self.settings.home.absolute() / prefix
        return Journal(folder, self.store, prefix, self.settings.journal_every_s)

    def fetch(self, key: str) -> bytes:
        """An object that Postgres says exists.

        Raises:
            StoreError: it is gone.
        """
        try:
            return self.store.get(key)
        except KeyError:
            raise StoreError(f"{self.store.url(key)} is gone, though the lineage names it") from None

    def recipe_ids(self) -> list[str]:
        """Current recipe ids in stage order."""
        return [recipe.recipe_id for recipe in self.chain.by_stage.values()]
