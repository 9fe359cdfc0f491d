"""The stages by name: a stage's name is its prompt's, its output's in a record, its row's in every table, its task's.

A new name goes where the stage stands in the pipeline. Everything else about the stage is in its module.
"""

from typing import Literal, get_args

StageName = Literal["filter", "extract", "generate", "refine", "validate", "revise", "revalidate"]
STAGE_NAMES: tuple[StageName, ...] = get_args(StageName)
"""In pipeline order."""
ASKS_LIKE: dict[StageName, StageName] = {"revise": "refine", "revalidate": "validate"}
"""Stages without settings of their own, and the stage whose model, endpoint, key and mode they use."""
HAVE_SETTINGS: tuple[StageName, ...] = tuple(name for name in STAGE_NAMES if name not in ASKS_LIKE)
"""All others."""
SHARED_PROMPTS: dict[StageName, StageName] = {"revalidate": "validate"}
"""Stages without a prompt of their own, and the stage whose prompt they use."""
ACCEPTING: tuple[StageName, ...] = ("validate", "revalidate")
"""Stages whose acceptance makes a trajectory: the validation, and the one after a revision."""


def settings_of(stage: str) -> str:
    """The stage whose settings it has: its own name, but for those of `ASKS_LIKE`."""
    return next((like for name, like in ASKS_LIKE.items() if name == stage), stage)


def prompt_of(stage: StageName) -> StageName:
    """The name of its prompt: its own, but for those of `SHARED_PROMPTS`."""
    return SHARED_PROMPTS.get(stage, stage)
