"""The workspace of every job: settings, the object store, the ledger, and the current recipes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from gem_tasks.domain.recipe import Recipe, Recorded
from gem_tasks.domain.stage import ACCEPTING, ASKS_LIKE, STAGE_NAMES, SYNTHESIZER_LINE, WORLD_LINE, StageName
from gem_tasks.domain.take import FIRST, Take, takes, world_takes
from gem_tasks.errors import StoreError, UserError
from gem_tasks.lineage import Ledger, Link, Scope
from gem_tasks.llm.apis.registry import api_of
from gem_tasks.llm.batch.client import BatchClient
from gem_tasks.llm.batch.registry import batches_at
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.dialects.memory import Memory
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.people import kinds_to_open
from gem_tasks.pipeline.plan_file import load_menus
from gem_tasks.pipeline.prompt_files import load_prompts
from gem_tasks.pipeline.quota_setting import quotas_of
from gem_tasks.pipeline.recipes import Chain, last_take
from gem_tasks.ports import ObjectStore
from gem_tasks.prompts import NAMES, Prompt, PromptSet
from gem_tasks.settings import Settings
from gem_tasks.store import open_store

_LINES = (STAGE_NAMES, WORLD_LINE, SYNTHESIZER_LINE)
_GONE = "{} is missing from the store, but the lineage refers to it"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Built once per task or command from settings."""

    settings: Settings
    store: ObjectStore
    chain: Chain
    options: RunOptions = field(default_factory=RunOptions)
    """Options of this run."""
    variant: bool = False
    """Whether `chain` is not the current one: its results are kept separately, and none of them is published."""

    @classmethod
    def open(cls, settings: Settings, prompts: PromptSet | None = None, options: RunOptions | None = None) -> Self:
        """Connects to nothing except the store of GEM_PROMPTS and stored prompts, and the lineage database if the gate
        policy requires people's agreement with the checks; refuses settings that cannot work.

        Only here do a run's overrides become settings and recipes.

        Args:
            settings: as loaded by the caller.
            prompts: prompts of the run; by default the current ones.
            options: options of the run.

        Raises:
            UserError: the store's URL, the gate policy, the user's menus of plans or the quotas are not valid, a
                user's prompt breaks its contract, a requested prompt is unknown, or a stage that borrows its model is
                given one.
            StoreError: GEM_PROMPTS points to a store that does not answer.
        """
        options = options or RunOptions()
        opened = kinds_to_open(settings)
        menus = load_menus(settings)
        current = Chain(settings, prompts or load_prompts(settings), opened, menus)
        for borrowed, like in ((stage, ASKS_LIKE[stage]) for stage in options.models if stage in ASKS_LIKE):
            raise UserError(f"{borrowed} uses the model of {like}", f"Set the model of {like}.")
        settings = settings.with_models(options.models)
        if options.override:  # its results are compared with those of the same stages
            settings = settings.model_copy(update={"synthesizer": "off"})
        if options.budget_usd:
            settings = settings.model_copy(update={"budget_usd": options.budget_usd})
        if options.quotas:
            settings = settings.model_copy(update={"quotas": ",".join(options.quotas)})
        quotas_of(settings)
        chain = Chain(settings, current.prompts.changed(*_stored(settings, options.prompts)), opened, menus)
        return cls(
            settings=settings,
            store=open_store(settings.store_root, settings.s3),
            chain=chain,
            options=options,
            variant=any(chain.over(line).recipes != current.over(line).recipes for line in _LINES),
        )

    def ledger(self) -> Ledger:
        """A new connection to the lineage database; a context manager."""
        return Ledger(self.settings.database)

    def client(self, stage: str) -> OpenAIClient:
        """A client for the endpoint of a stage, or of the simulated user; an async context manager."""
        endpoint, options = self.settings.endpoint_for(stage), self.settings.options_for(stage)
        return OpenAIClient(
            endpoint,
            self.settings.key_for(stage),
            concurrency=self.settings.llm_concurrency,
            timeout_s=self.settings.llm_timeout_s,
            max_attempts=self.settings.llm_max_attempts,
            memory=Memory(self.store, endpoint, api_of(endpoint, options.api)),
            presets=self.settings.llm_dialects,
            headers=options.headers,
            stream=options.stream,
            api=options.api,
            window=options.context_window,
        )

    def batches(self, stage: StageName) -> BatchClient:
        """The Batch API of the stage's endpoint; an async context manager."""
        endpoint, options = self.settings.endpoint_for(stage), self.settings.options_for(stage)
        return batches_at(endpoint, options.api)(
            endpoint,
            self.settings.key_for(stage),
            Memory(self.store, endpoint, api_of(endpoint, options.api)),
            self.settings.llm_dialects,
            options.headers,
            options.context_window,
        )

    def fetch(self, key: str) -> bytes:
        """Reads an object that Postgres lists.

        Raises:
            StoreError: it is missing.
        """
        try:
            return self.store.get(key)
        except KeyError:
            raise StoreError(_GONE.format(self.store.url(key))) from None

    def download(self, key: str, path: Path) -> None:
        """Like `fetch`, but into a file, piece by piece.

        Raises:
            StoreError: it is missing.
        """
        try:
            with path.open("wb") as file:
                file.writelines(self.store.chunks(key))
        except KeyError:
            raise StoreError(_GONE.format(self.store.url(key))) from None

    @property
    def scope(self) -> Scope:
        """The part of a partition that this run covers."""
        return Scope(sources=self.options.sources, limit=self.options.limit)

    def in_worlds(self) -> "Workspace":
        """This workspace with the line whose conversations happen in worlds. Both lines share their first stages."""
        return replace(self, chain=self.chain.over(WORLD_LINE))

    def in_one_pass(self) -> "Workspace":
        """This workspace with the line that writes conversations in one pass."""
        return replace(self, chain=self.chain.over(STAGE_NAMES))

    def lines(self) -> list["Workspace"]:
        """This workspace, and the one in worlds if it is on."""
        return [self, self.in_worlds()] if self.settings.worlds == "on" else [self]

    @property
    def with_synthesizer(self) -> "Workspace | None":
        """This workspace with the line of the synthesizer if it is on. It shares the filter with the other lines."""
        return replace(self, chain=self.chain.over(SYNTHESIZER_LINE)) if self.settings.synthesizer == "model" else None

    def each_take(self) -> list["Workspace"]:
        """This workspace with the chain of each take, that is, of every conversation that a text may have."""
        asked = self.settings
        if "synthesize" in self.chain.line:
            return [self]
        if "simulate" in self.chain.line:
            found = world_takes(asked.max_workflows, asked.world_tasks, asked.world_attempts)
        else:
            found = takes(asked.max_workflows, asked.rollouts)
        return [replace(self, chain=self.chain.with_take(take)) for take in found]

    def chains(self) -> list[Chain]:
        """The current chains, of every take."""
        return [each.chain for each in self.each_take()]

    def chain_of_last(self) -> Chain:
        """The chain of the last take. Its recipes stand for those of all: see `recipes.last_take`."""
        return self.chains()[-1]

    def with_takes_up_to(self, last: Take) -> "Workspace":
        """This workspace with the takes up to this one, regardless of the settings."""
        changes: dict[str, int] = {"max_workflows": last.workflow + 1}
        if "simulate" in self.chain.line:
            changes |= {"world_tasks": last.task + 1, "world_attempts": last.attempt + 1}
        else:
            changes |= {"rollouts": last.rollout + 1}
        return replace(self, settings=self.settings.model_copy(update=changes))

    def as_recorded(self, recipes: Sequence[Recorded]) -> "Workspace":
        """The workspace of an earlier dataset version, by the recipes of its last take; raises as `Chain.recorded`."""
        last = next((last_take(recipe) for recipe in recipes if recipe.stage == "generate"), FIRST)
        chain = Chain.recorded(self.settings, recipes, last).with_take(FIRST)
        return replace(self.with_takes_up_to(last), chain=chain)

    def in_worlds_as_recorded(self, recipes: Sequence[Recorded]) -> "Workspace":
        """The same for its executed conversations."""
        last = next(last_take(recipe) for recipe in recipes if recipe.stage == "simulate")
        chain = Chain.recorded(self.settings, recipes, last, WORLD_LINE).with_take(FIRST)
        return replace(self.in_worlds().with_takes_up_to(last), chain=chain)

    def with_synthesizer_as_recorded(self, recipes: Sequence[Recorded]) -> "Workspace":
        """The same for the conversations that a synthesizer made."""
        return replace(self, chain=Chain.recorded(self.settings, recipes, line=SYNTHESIZER_LINE))

    def recipes(self) -> list[Recipe]:
        """Current recipes of all takes, the root first, in stage order."""
        return [self.chain.root, *self.recipes_of(*self.chain.line)]

    def recipes_of(self, *stages: StageName) -> list[Recipe]:
        """Current recipes of these stages, one after the other: of a stage from `generate` on one for each take."""
        chains = self.chains()
        found = [chain.by_stage[stage] for stage in stages for chain in chains]
        return list({recipe.recipe_id: recipe for recipe in found}.values())

    def recipes_of_lines(self) -> list[Recipe]:
        """Current recipes of all stages of the lines that are on, without the root."""
        lines = [*self.lines(), *filter(None, [self.with_synthesizer])]
        found = [recipe for line in lines for recipe in line.recipes_of(*line.chain.line)]
        return list({recipe.recipe_id: recipe for recipe in found}.values())

    def every_recipe_id(self) -> list[str]:
        """As `recipes_of_lines`, the ids."""
        return [recipe.recipe_id for recipe in self.recipes_of_lines()]

    def recipe_ids(self, *stages: StageName) -> list[str]:
        """As `recipes_of`, the ids; by default those of all stages."""
        return [recipe.recipe_id for recipe in self.recipes_of(*stages or self.chain.line)]

    def accepting(self) -> list[str]:
        """Current recipe ids of the stages whose acceptance makes a trajectory."""
        accepting: list[StageName] = [stage for stage in ACCEPTING if stage in self.chain.line]
        synthesizer = self.with_synthesizer if "extract" in self.chain.line else None
        return self.recipe_ids(*accepting) + (synthesizer.recipe_ids("confirm") if synthesizer else [])

    def last_recipe(self) -> str:
        """Id of the recipe that stands for all in a dataset version: that of the last stage in the last take."""
        return self.chain_of_last().id_of(self.chain.line[-1])

    def links(self) -> list[Link]:
        """Current recipes in stage order, of all takes, with what each of them processes."""
        chains = self.chains()
        found = [chain.link(stage) for stage in self.chain.line for chain in chains]
        return list({link.recipe_id: link for link in found}.values())


def _stored(settings: Settings, wanted: dict[str, str]) -> list[Prompt]:
    """Stored versions of prompts.

    Raises:
        UserError: no version or several match the hash.
    """
    found: list[Prompt] = []
    if wanted:
        with Ledger(settings.database) as ledger:
            for name, prefix in wanted.items():
                if name not in NAMES:
                    raise UserError(f"There is no prompt {name!r}", f"Prompts are {', '.join(NAMES)}.")
                texts = ledger.rebuild.prompt_texts(name, prefix)
                if len(texts) != 1:
                    cause = f"{len(texts)} versions of the prompt {name!r} begin" if texts else f"No {name!r} begins"
                    raise UserError(f"{cause} with {prefix!r}", "Give more characters of a stored version's hash.")
                found.append(Prompt(name=name, text=texts[0]))
    return found
