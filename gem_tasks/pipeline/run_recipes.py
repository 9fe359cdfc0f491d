"""The recipes of a run: those that it started with, even if code, settings or prompts change meanwhile.

The first task of a run records its chain, and that of the synthesizer if it is on. Prompts, menus of plans, models and
segment sizes are data, so the other tasks use the recorded ones, make as many conversations of a text, and have the
synthesizer if the first one had it. Code is not: if the version of a stage, of the
checks or of the segmenter has changed, or a stage's sampling parameters, a task would record results of one recipe
under another's name. It stops with an error instead.
"""

from collections.abc import Mapping
from dataclasses import replace

from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.stage import EVERY_STAGE, SIMULATED_USER, SYNTHESIZER_LINE, USER_PROMPT, settings_of
from gem_tasks.errors import UserError
from gem_tasks.pipeline.recipes import MENUS, Chain, last_take, reasons, takes_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.plans import parse_menus
from gem_tasks.prompts import Prompt
from gem_tasks.stages import stage
from gem_tasks.stages.thoughts import reasoning_of


def register_recipes(work: Workspace) -> None:
    """Records the current recipes and their prompts; outcomes can only be saved under recorded recipes."""
    with work.ledger() as ledger:
        ledger.stages.record_recipes(work.chain.prompt_texts(), work.recipes())


def pin(work: Workspace, run: str) -> Workspace:
    """Records the recipes that the run starts with. A run that is cleared from its first task on starts again.

    Args:
        work: workspace of the run's first task.
        run: DAG and run id.
    """
    register_recipes(work)
    if line := work.with_synthesizer:
        register_recipes(line)
    with work.ledger() as ledger:
        ledger.prompts.pin_recipes(run, _recipes(work))
    return work


def pinned(work: Workspace, run: str) -> Workspace:
    """The workspace with the recipes that the run started with.

    Args:
        work: has the current settings, prompts and code.
        run: DAG and run id.

    Raises:
        UserError: the code has changed since the start.
    """
    with work.ledger() as ledger:
        recorded = {recipe.stage: recipe for recipe in ledger.prompts.run_recipes(run)}
        if not recorded or _same(work, recorded):
            return work
        texts = ledger.prompts.by_hash([*_prompts(recorded).values(), *_menus(recorded)])
    sizes = recorded["segment"].params
    changes = {
        "segment_target_tokens": sizes["target"],
        "segment_max_tokens": sizes["max"],
        "synthesizer": "model" if "synthesize" in recorded else "off",
    }
    if "simulate" not in recorded:
        changes |= {
            "revise": "off" if "revise" in recorded and takes_of(recorded["revise"]) == "nothing" else "on",
            "reasoning": reasoning_of(recorded["generate"].params) if "generate" in recorded else "off",
        }
    settings = work.settings.with_models(_models(recorded)).model_copy(update=changes)
    prompts = [Prompt(name=name, text=texts[digest]) for name, digest in _prompts(recorded).items()]
    judge = recorded.get("validate") or recorded["verify"]
    menus = next((parse_menus(texts[digest]) for digest in _menus(recorded)), None)
    chain = Chain(
        settings,
        work.chain.prompts.changed(*prompts),
        judge.params.get("opened", ()),
        menus or work.chain.menus,
        work.chain.line,
    )
    work = replace(work, settings=settings, chain=chain)
    if with_take := recorded.get("generate") or recorded.get("simulate"):
        work = work.with_takes_up_to(last_take(with_take))
    if now := _differing(work, recorded):
        before = recorded.get(now.stage)
        why = reasons(now, before, first=False) if before else "the stage did not exist"
        raise UserError(
            f"The recipe of {now.stage} has changed since this run began ({why}): GEM would record results of one"
            " recipe under the other",
            "Clear the run from its first task (`plan`) on, or start another run: GEM keeps existing results.",
        )
    return work


def _recipes(work: Workspace) -> list[Recipe]:
    """One recipe for each stage: of the last take, which tells how many there are, and of the synthesizer."""
    line = work.with_synthesizer
    own = [line.chain.by_stage[stage] for stage in SYNTHESIZER_LINE[1:]] if line else []
    return [*work.chain_of_last().recipes, *own]


def _same(work: Workspace, recorded: Mapping[str, Recipe]) -> bool:
    return _differing(work, recorded) is None and (work.settings.synthesizer == "model") == ("synthesize" in recorded)


def _differing(work: Workspace, recorded: Mapping[str, Recipe]) -> Recipe | None:
    """The first recipe that differs from the recorded one."""
    return next(
        (now for now in _recipes(work) if now.stage not in recorded or now.recipe_id != recorded[now.stage].recipe_id),
        None,
    )


def _models(recorded: Mapping[str, Recipe]) -> dict[str, str | None]:
    """The run's models, by what has settings."""
    found = {settings_of(stage): recorded[stage].model for stage in EVERY_STAGE if stage in recorded}
    return found | ({SIMULATED_USER: recorded["simulate"].params["user"]["model"]} if "simulate" in recorded else {})


def _prompts(recorded: Mapping[str, Recipe]) -> dict[str, str]:
    """SHA-256 of the run's prompts, by name."""
    found = {stage(name).prompt: recorded[name].prompt_sha256 or "" for name in EVERY_STAGE if name in recorded}
    user = {USER_PROMPT: str(recorded["simulate"].params["user"]["prompt"])} if "simulate" in recorded else {}
    return found | user | {"repair": str(recorded[EVERY_STAGE[0]].params["repair"])}


def _menus(recorded: Mapping[str, Recipe]) -> list[str]:
    """SHA-256 of the run's menus; none for a run that began before there were plans."""
    found = recorded["generate"].params.get(MENUS) if "generate" in recorded else None
    return [str(found)] if found else []
