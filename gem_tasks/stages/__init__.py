"""The stages in pipeline order. A new stage is a module, a prompt of the same name, a line in `STAGES` here, and its
name in `domain.stage`: docs/architecture/overview.md.
"""

from gem_tasks.domain.stage import USER_PROMPT, StageName
from gem_tasks.stages.base import COMPLAINT, Stage
from gem_tasks.stages.extract import Extract
from gem_tasks.stages.filter import Filter
from gem_tasks.stages.generate import Generate
from gem_tasks.stages.refine import Refine
from gem_tasks.stages.revise import Revise
from gem_tasks.stages.simulate import USER_ASKS_FOR, Simulate
from gem_tasks.stages.synthesize import Synthesize
from gem_tasks.stages.task import WriteTasks
from gem_tasks.stages.validate import Validate
from gem_tasks.stages.world import BuildWorld

STAGES: tuple[Stage, ...] = (
    Filter(), Extract(), Generate(), Refine(), Validate(), Revise(), Validate("revalidate", of="revise"),
)  # fmt: skip

WORLD_STAGES: tuple[Stage, ...] = (BuildWorld(), WriteTasks(), Simulate(), Validate("verify", of="simulate"))
"""The stages that only the line in worlds has."""

SYNTHESIZER_STAGES: tuple[Stage, ...] = (Synthesize(), Validate("confirm", of="synthesize"))
"""The stages that only the line of the synthesizer has."""

ASKED_FOR: dict[str, tuple[str, ...]] = {
    **{each.prompt: each.asks_for for each in (*STAGES, *WORLD_STAGES, *SYNTHESIZER_STAGES)},
    USER_PROMPT: USER_ASKS_FOR,
    "repair": (COMPLAINT,),
}
"""What each prompt must mention, by the prompt's name."""


def stage(name: StageName) -> Stage:
    """The stage of that name."""
    return next(stage for stage in (*STAGES, *WORLD_STAGES, *SYNTHESIZER_STAGES) if stage.name == name)
