"""The chain of recipes that the current code, prompts and settings stand for."""

from collections.abc import Sequence

from gem_tasks.corpus.segment import SEGMENT_VERSION
from gem_tasks.domain.base import Json
from gem_tasks.domain.recipe import Recipe
from gem_tasks.errors import UserError
from gem_tasks.pipeline.attempt import Asking
from gem_tasks.prompts import PromptSet, shipped
from gem_tasks.settings import Settings, StageName
from gem_tasks.stages import STAGES
from gem_tasks.stages import stage as stage_named
from gem_tasks.stages.base import Stage


class Recorded(Recipe):
    """A recipe as Postgres has it, which may be of an older scheme: it keeps its id."""

    known_as: str

    @property
    def recipe_id(self) -> str:
        """As it was recorded."""
        return self.known_as


class Chain:
    """The root recipe and one per stage, each with the one before as parent.

    Args:
        settings: segment sizes, models and what is sent with requests.
        prompts: whose; ours by default.

    Attributes:
        prompts: what the recipes are made of, and what requests are made from.
    """

    def __init__(self, settings: Settings, prompts: PromptSet | None = None) -> None:
        self.prompts = prompts or shipped()
        self._settings = settings
        self.root = Recipe(
            stage="segment",
            version=SEGMENT_VERSION,
            params={"target": settings.segment_target_tokens, "max": settings.segment_max_tokens},
        )
        repair = self.prompts["repair"].sha256
        self.by_stage: dict[StageName, Recipe] = {}
        parent = self.root
        for stage in STAGES:
            parent = Recipe(
                stage=stage.name,
                version=stage.version,
                prompt_sha256=self.prompts[stage.name].sha256,
                model=settings.model_for(stage.name),
                params=_params(stage, repair, settings),
                parent=parent.recipe_id,
            )
            self.by_stage[stage.name] = parent

    @classmethod
    def recorded(cls, settings: Settings, recipes: Sequence[Recorded]) -> "Chain":
        """An earlier chain, by which something was made, as it is recorded.

        Raises:
            UserError: it lacks a stage that there is now.
        """
        chain = cls(settings)
        by_name = {recipe.stage: recipe for recipe in recipes}
        if missing := [name for name in chain.by_stage if name not in by_name]:
            raise UserError(
                f"It was made before there was a stage {missing[0]}", "Backfill the partition under today's stages."
            )
        chain.root = by_name["segment"]
        chain.by_stage = {name: by_name[name] for name in chain.by_stage}
        return chain

    def id_of(self, stage: StageName) -> str:
        """Recipe id of a stage."""
        return self.by_stage[stage].recipe_id

    @property
    def recipes(self) -> list[Recipe]:
        """All links, the root first."""
        return [self.root, *self.by_stage.values()]

    @property
    def models(self) -> dict[str, str]:
        """Model by stage, as dataset cards and export metadata show it."""
        return {name: recipe.model or "" for name, recipe in self.by_stage.items()}

    def asking(self, stage: StageName) -> Asking:
        """Model and prompts of a stage's requests."""
        model = self.by_stage[stage].model or ""
        sampling = self._settings.options_for(stage).applied_to(stage_named(stage).sampling)
        return Asking(model=model, prompt=self.prompts[stage], repair=self.prompts["repair"], sampling=sampling)

    def prompt_texts(self) -> dict[str, tuple[str, str]]:
        """Name and text by hash of every prompt in use."""
        return {prompt.sha256: (prompt.name, prompt.text) for prompt in self.prompts.by_name.values()}


def _params(stage: Stage, repair: str, settings: Settings) -> Json:
    schema = {"answer_schema": stage.answer_schema} if stage.answer_schema else {}
    return {**settings.options_for(stage.name).applied_to(stage.sampling).params, "repair": repair, **schema}
