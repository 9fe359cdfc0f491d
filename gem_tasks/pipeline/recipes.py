"""The chain of recipes of the current code, prompts and settings."""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from gem_tasks import plans
from gem_tasks.corpus.segment import SEGMENT_VERSION
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import Sampling
from gem_tasks.domain.plan import Plan
from gem_tasks.domain.recipe import Recipe, Recorded
from gem_tasks.domain.stage import SIMULATED_USER, STAGE_NAMES, SYNTHESIZER_LINE, USER_PROMPT, StageName
from gem_tasks.domain.take import FIRST, Take
from gem_tasks.errors import UserError
from gem_tasks.lineage import Link
from gem_tasks.plans import Menus
from gem_tasks.prompts import Prompt, PromptSet, shipped
from gem_tasks.settings import Settings
from gem_tasks.stages import stage as stage_named
from gem_tasks.stages.base import Stage
from gem_tasks.stages.json_form import InJson, has_json_form, note_of
from gem_tasks.stages.thoughts import REASONING, WithThoughts, with_thoughts

MENUS = "plans"
"""Name of the menus, beside the prompts and in the recipe of `generate`."""

_LATER: frozenset[StageName] = frozenset({"revise", "revalidate"})
"""Stages without results in older datasets."""

_PART_OF_TAKE: dict[StageName, Callable[[Take], Json]] = {
    "generate": lambda take: take.params,
    "world": lambda take: Take(workflow=take.workflow).params,
    "simulate": lambda take: take.params,
}
"""Stages from which on recipes differ by take, and the part of the take that makes the difference: a world and its
tasks belong to a workflow, all conversations in it share them."""


class Asking(Value):
    """How a stage asks. All of it is part of its recipe, so the two cannot disagree; see `Chain.asking`."""

    model: str
    prompt: Prompt
    repair: Prompt
    sampling: Sampling = Sampling()


class Chain:
    """The root recipe and one per stage of a line, each with the preceding one as its parent.

    Args:
        settings: segment sizes, models and request options.
        prompts: prompts to use; GEM's own by default.
        opened: kinds of errors (`check/kind`) that do not refuse, because people disagree with them.
        menus: what conversations' plans are drawn from; GEM's own by default.
        line: the stages; by default those that write conversations in one pass.

    Attributes:
        line: the stages, in order.
        prompts: prompts of the recipes and of the requests.
        menus: those of the recipes and of the plans.
        take: which conversation of a text the recipes from `generate` on make: the first, or see `with_take`.
    """

    def __init__(
        self,
        settings: Settings,
        prompts: PromptSet | None = None,
        opened: Sequence[str] = (),
        menus: Menus | None = None,
        line: tuple[StageName, ...] = STAGE_NAMES,
    ) -> None:
        self.take, self.line = FIRST, line
        self.prompts = prompts or shipped()
        self.menus = menus or plans.shipped()
        self._settings = settings
        self.root = Recipe(
            stage="segment",
            version=SEGMENT_VERSION,
            params={"target": settings.segment_target_tokens, "max": settings.segment_max_tokens},
        )
        _check_forms(settings, line)
        repair = self.prompts["repair"].sha256
        self.by_stage: dict[StageName, Recipe] = {}
        parent = self.root
        for stage in map(self.stage, line):
            parent = Recipe(
                stage=stage.name,
                version=stage.version,
                prompt_sha256=self.prompts[stage.prompt].sha256,
                model=settings.model_for(stage.name),
                params=_params(stage, repair, settings, opened) | _planned(stage, self.menus) | self._user(stage),
                parent=parent.recipe_id,
            )
            self.by_stage[stage.name] = parent

    def over(self, line: tuple[StageName, ...]) -> "Chain":
        """The chain of another line. It has the recipes of this one up to the last stage that both have."""
        if line == self.line:
            return self
        other = Chain(self._settings, self.prompts, sorted(self.opened), self.menus, line)
        parent = other.root = self.root
        for name, recipe in other.by_stage.items():
            parent = self.by_stage.get(name) or _changed(recipe, parent=parent.recipe_id)
            other.by_stage[name] = parent
        return other

    def before(self, stage: StageName) -> StageName | None:
        """The preceding stage; None for the first one."""
        at = self.line.index(stage)
        return self.line[at - 1] if at else None

    def after(self, stage: StageName) -> StageName | None:
        """The next stage; None for the last one."""
        return next(iter(self.line[self.line.index(stage) + 1 :]), None)

    @classmethod
    def recorded(
        cls,
        settings: Settings,
        recipes: Sequence[Recorded],
        take: Take = FIRST,
        line: tuple[StageName, ...] = STAGE_NAMES,
    ) -> "Chain":
        """An earlier chain of a take, as it was recorded.

        Raises:
            UserError: it lacks a stage of the current chain.
        """
        chain = cls(settings, line=line)
        by_name = {recipe.stage: recipe for recipe in recipes}
        if missing := [name for name in chain.by_stage if name not in by_name and name not in _LATER]:
            raise UserError(
                f"It was made before the stage {missing[0]} existed", "Backfill the partition with the current stages."
            )
        chain.root, chain.take = by_name["segment"], take
        parent: Recipe = chain.root
        for name, recipe in chain.by_stage.items():
            parent = by_name.get(name) or recipe.model_copy(update={"parent": parent.recipe_id})
            chain.by_stage[name] = parent
        return chain

    def stage(self, name: StageName) -> Stage:
        """The stage, in the configured form of answer."""
        found = stage_named(name)
        in_json = has_json_form(name) and self._settings.options_for(name).form == "json"
        return InJson(found) if in_json else with_thoughts(found, self._settings.reasoning)

    def id_of(self, stage: StageName) -> str:
        """Recipe id of a stage."""
        return self.by_stage[stage].recipe_id

    @property
    def ids(self) -> dict[StageName, str]:
        """Recipe id by stage."""
        return {stage: recipe.recipe_id for stage, recipe in self.by_stage.items()}

    def link(self, stage: StageName) -> Link:
        """What a stage processes, in the words of the lineage."""
        recipe = self.by_stage[stage]
        parent = None if self.before(stage) is None else recipe.parent
        return Link(
            stage, recipe.recipe_id, takes_of(recipe), parent, *self._needs(stage), spared_by=self.spared_by(stage)
        )

    def spared_by(self, stage: StageName) -> str | None:
        """Recipe id of `confirm` whose accepted texts a stage does not get, while a synthesizer is on."""
        if stage != "extract" or self._settings.synthesizer == "off":
            return None
        return self.over(SYNTHESIZER_LINE).id_of("confirm")

    def _needs(self, stage: StageName) -> tuple[int, str]:
        """Index of what the preceding stage must have found for this take, and the measure that counts them."""
        if stage == "simulate":
            return self.take.task, "tasks"
        return self.take.workflow if stage in _PART_OF_TAKE else 0, "workflows"

    @property
    def links(self) -> list[Link]:
        """What every stage processes."""
        return [self.link(stage) for stage in self.line]

    @property
    def takes(self) -> list[str]:
        """For every stage, in order, the outcome of the preceding stage that it processes."""
        return [takes_of(recipe) for recipe in self.by_stage.values()]

    @property
    def recipes(self) -> list[Recipe]:
        """All recipes, the root first."""
        return [self.root, *self.by_stage.values()]

    @property
    def models(self) -> dict[str, str]:
        """Model by stage, as dataset cards and export metadata show it."""
        return {name: recipe.model or "" for name, recipe in self.by_stage.items()}

    def asking(self, stage: StageName) -> Asking:
        """Model and prompts of a stage's requests."""
        model = self.by_stage[stage].model or ""
        asked = stage_named(stage)
        sampling = self._settings.options_for(stage).applied_to(asked.sampling)
        prompt, repair = self.prompts[asked.prompt], self.prompts["repair"]
        return Asking(model=model, prompt=prompt, repair=repair, sampling=sampling)

    @property
    def asking_user(self) -> Asking:
        """The same for the simulated user of `simulate`."""
        sampling = self._settings.options_for(SIMULATED_USER).applied_to(stage_named("simulate").sampling)
        model = str(self.by_stage["simulate"].params["user"]["model"])
        prompt, repair = self.prompts[USER_PROMPT], self.prompts["repair"]
        return Asking(model=model, prompt=prompt, repair=repair, sampling=sampling)

    def _user(self, stage: Stage) -> Json:
        """How the simulated user is asked; the assistant is asked as the stage."""
        if stage.name != "simulate":
            return {}
        sampling = self._settings.options_for(SIMULATED_USER).applied_to(stage.sampling)
        model, prompt = self._settings.model_for(SIMULATED_USER), self.prompts[USER_PROMPT].sha256
        return {"user": {"model": model, "prompt": prompt, **sampling.params}}

    @property
    def opened(self) -> frozenset[str]:
        """Kinds of errors that do not refuse under this chain."""
        judges = (recipe for name, recipe in self.by_stage.items() if stage_named(name).prompt == "validate")
        return frozenset(next(judges).params.get("opened", ()))

    def with_take(self, take: Take) -> "Chain":
        """The chain of another conversation of the same texts: the same one up to `extract`."""
        if take == self.take:
            return self
        other = copy(self)
        other.take, other.by_stage, parent = take, {}, self.root
        for name, recipe in self.by_stage.items():
            if name in _PART_OF_TAKE:
                params = {key: value for key, value in recipe.params.items() if key not in Take.model_fields}
                recipe = _changed(recipe, params=params | _PART_OF_TAKE[name](take))
            parent = _changed(recipe, parent=parent.recipe_id)
            other.by_stage[name] = parent
        return other

    def plan(self, segment_id: str) -> Plan:
        """The plan of the take's conversation of a segment."""
        return plans.draw(self.menus, segment_id, self.take.workflow, self.take.rollout, self.id_of("generate"))

    def prompt_texts(self) -> dict[str, tuple[str, str]]:
        """Name and text of every prompt in use, and of the menus, by hash."""
        used = {stage_named(name).prompt for name in self.line} | {"repair"}
        used |= {USER_PROMPT} if "simulate" in self.line else set()
        found = [prompt for name, prompt in self.prompts.by_name.items() if name in used]
        texts = {prompt.sha256: (prompt.name, prompt.text) for prompt in found}
        return texts | {self.menus.sha256: (MENUS, self.menus.text)}


def _changed(recipe: Recipe, **changes: Any) -> Recipe:
    """A recipe with other values: itself if they are the same, otherwise one with another id."""
    if all(getattr(recipe, name) == value for name, value in changes.items()):
        return recipe
    return Recipe(**recipe.model_dump(exclude={"known_as"}) | changes)


def last_take(recipe: Recipe) -> Take:
    """The take of a recipe of `generate` or `simulate`; the last one of a run or a dataset version tells all of it."""
    return Take.model_validate({name: recipe.params.get(name, 0) for name in Take.model_fields})


def takes_of(recipe: Recipe) -> str:
    """The outcome of the preceding stage that a stage processes: `accepted`, `rejected`, or `nothing`."""
    return str(recipe.params.get("takes", "accepted"))


def reasons(now: Recipe, before: Recipe, *, first: bool) -> str:
    """The parts in which two recipes of a stage differ, in words joined by ` + `."""
    repair = now.params.get("repair") != before.params.get("repair")
    opened, planned, reasoning = (
        now.params.get(name) != before.params.get(name) for name in ("opened", MENUS, REASONING)
    )
    others = [
        {name: value for name, value in each.params.items() if name not in ("repair", "opened", MENUS, REASONING)}
        for each in (now, before)
    ]
    found = {
        "prompt": now.prompt_sha256 != before.prompt_sha256 or repair,
        "model": now.model != before.model,
        "code": now.version != before.version,
        "params": others[0] != others[1],
        "plans": planned,
        REASONING: reasoning,
        "ratings": opened,
        "segmenting" if first else "upstream": now.parent != before.parent,
    }
    return " + ".join(name for name, differs in found.items() if differs)


def _check_forms(settings: Settings, line: Sequence[StageName]) -> None:
    """Raises UserError: a stage without a JSON form is set to answer in JSON."""
    for name in line:
        asked = settings.llm_requests.get(name)
        if asked and asked.form == "json" and not (has_json_form(name) or stage_named(name).answer_schema):
            raise UserError(
                f"GEM_LLM_FORM_{name.upper()}: the stage {name} has no JSON form",
                "Unset it: only filter and extract have one.",
            )


def _planned(stage: Stage, menus: Menus) -> Json:
    return {MENUS: menus.sha256} if stage.name == "generate" else {}


def _params(stage: Stage, repair: str, settings: Settings, opened: Sequence[str]) -> Json:
    schema = {"answer_schema": stage.answer_schema} if stage.answer_schema else {}
    noted = {"form": "json", "note": note_of(stage.name).sha256} if isinstance(stage, InJson) else {}
    reasoning = stage.params if isinstance(stage, WithThoughts) else {}
    takes = {"takes": stage.takes if settings.revise == "on" else "nothing"} if stage.takes != "accepted" else {}
    checked = {"opened": sorted(opened)} if opened and stage.prompt == "validate" else {}
    sampling = settings.options_for(stage.name).applied_to(stage.sampling)
    return {**sampling.params, "repair": repair, **schema, **noted, **reasoning, **takes, **checked}
