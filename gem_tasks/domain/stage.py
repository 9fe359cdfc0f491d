"""The names of the stages, which are also those of their prompts, outputs in a record, rows in tables, and tasks.

A new name goes to the stage's position in the pipeline. Everything else about the stage is in its module.
"""

from typing import Literal, get_args

StageName = Literal[
    "filter", "extract", "generate", "refine", "validate", "revise", "revalidate", "world", "task", "simulate", "verify"
]
STAGE_NAMES: tuple[StageName, ...] = get_args(StageName)[:7]
"""The stages of the line that writes conversations in one pass, in pipeline order."""
WORLD_LINE: tuple[StageName, ...] = ("filter", "extract", "world", "task", "simulate", "verify")
"""The stages of the line whose conversations happen in a world. Both lines share the results of their first stages."""
ASKS_LIKE: dict[StageName, StageName] = {"revise": "refine", "revalidate": "validate"}
"""Stages without separate settings, and the stage whose model, endpoint, key and mode they use."""
HAVE_SETTINGS: tuple[StageName, ...] = tuple(name for name in STAGE_NAMES if name not in ASKS_LIKE)
"""All other stages."""
SHARED_PROMPTS: dict[StageName, StageName] = {"revalidate": "validate"}
"""Stages without a separate prompt, and the stage whose prompt they use."""
PER_TAKE: tuple[StageName, ...] = STAGE_NAMES[STAGE_NAMES.index("generate") :]
"""Stages with a result for each conversation of a text, rather than one for the text."""
ACCEPTING: tuple[StageName, ...] = ("validate", "revalidate")
"""Stages whose acceptance makes a trajectory: the validation, and the one after a revision."""

Reasoning = Literal["off", "ask", "keep"]
"""What becomes of the assistant's private thoughts: see `gem_tasks.stages.thoughts`."""


def settings_of(stage: str) -> str:
    """The stage whose settings a stage uses: itself, except for those in `ASKS_LIKE`."""
    return next((like for name, like in ASKS_LIKE.items() if name == stage), stage)


def prompt_of(stage: StageName) -> StageName:
    """The name of a stage's prompt: its own, except for those in `SHARED_PROMPTS`."""
    return SHARED_PROMPTS.get(stage, stage)
