"""The names of the stages, which are also those of their prompts, outputs in a record, rows in tables, and tasks.

A new name goes to the stage's position in the pipeline. Everything else about the stage is in its module.
"""

from typing import Literal, get_args

StageName = Literal[
    "filter", "extract", "generate", "refine", "validate", "revise", "revalidate",
    "world", "task", "simulate", "verify",
    "synthesize", "confirm",
]  # fmt: skip
EVERY_STAGE: tuple[StageName, ...] = get_args(StageName)
"""The stages of all lines."""
_WORLD, _SYNTHESIZER = EVERY_STAGE.index("world"), EVERY_STAGE.index("synthesize")
STAGE_NAMES: tuple[StageName, ...] = EVERY_STAGE[:_WORLD]
"""The stages of the line that writes conversations in one pass, in pipeline order."""
WORLD_LINE: tuple[StageName, ...] = (*STAGE_NAMES[: STAGE_NAMES.index("generate")], *EVERY_STAGE[_WORLD:_SYNTHESIZER])
"""The stages of the line whose conversations happen in a world. Both lines share the results of their first stages."""
SYNTHESIZER_LINE: tuple[StageName, ...] = ("filter", *EVERY_STAGE[_SYNTHESIZER:])
"""The stages of the line in which a trained synthesizer replaces extract, generate and refine by one call."""
ASKS_LIKE: dict[StageName, StageName] = {
    "revise": "refine",
    "revalidate": "validate",
    "verify": "validate",
    "confirm": "validate",
}
"""Stages without separate settings, and the stage whose model, endpoint, key and mode they use."""
SIMULATED_USER = "simulate_user"
"""`simulate` asks two models. The assistant has the settings of the stage, the user has those of this name."""
HAVE_SETTINGS: tuple[str, ...] = (*(name for name in EVERY_STAGE if name not in ASKS_LIKE), SIMULATED_USER)
"""All other stages, and the simulated user."""
SHARED_PROMPTS: dict[StageName, StageName] = {"revalidate": "validate", "verify": "validate", "confirm": "validate"}
"""Stages without a separate prompt, and the stage whose prompt they use."""
USER_PROMPT = "simulate.user"
"""Prompt of the simulated user; that of the assistant is the prompt of the stage."""
PER_TAKE: tuple[StageName, ...] = EVERY_STAGE[EVERY_STAGE.index("generate") :]
"""Stages with a result for each conversation of a text, rather than one for the text."""
ACCEPTING: tuple[StageName, ...] = ("validate", "revalidate", "verify", "confirm")
"""Stages whose acceptance makes a trajectory: the validation, or the one after another way to a conversation."""

Reasoning = Literal["off", "ask", "keep"]
"""What becomes of the assistant's private thoughts: see `gem_tasks.stages.thoughts`."""


def settings_of(stage: str) -> str:
    """The stage whose settings a stage uses: itself, except for those in `ASKS_LIKE`."""
    return next((like for name, like in ASKS_LIKE.items() if name == stage), stage)


def prompt_of(stage: StageName) -> StageName:
    """The name of a stage's prompt: its own, except for those in `SHARED_PROMPTS`."""
    return SHARED_PROMPTS.get(stage, stage)
