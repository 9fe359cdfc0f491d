"""What is played for a record: the take's task in one of its variants, in a session of the record's world."""

from contextlib import AbstractContextManager
from hashlib import sha256

from gem_tasks.domain.record import Record
from gem_tasks.pipeline.recipes import Asking, Chain
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.simulate.begun import begun
from gem_tasks.simulate.scene import Player, Players, Scene
from gem_tasks.simulate.simulation import Simulation
from gem_tasks.stages.generate import main_workflow
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.task import Tasks

_SEEDS = 1_000_000


def scene_of(chain: Chain, record: Record) -> Scene:
    """The scene of the chain's take. All attempts at a task have the same variant and seed, so that they compare."""
    take, built = chain.take, record.needed("world", Built)
    task = record.needed("task", Tasks).tasks[take.task]
    drawn = int(sha256(f"{record.segment.segment_id}/{take.workflow}/{take.task}".encode()).hexdigest(), 16)
    return Scene(
        world=built.world_id,
        task=task,
        index=take.task,
        variant=task.variants[drawn % len(task.variants)].name,
        seed=drawn // len(task.variants) % _SEEDS,
        attempt=take.attempt + 1,
        tools=main_workflow(record).tools,
    )


def players_of(work: Workspace) -> Players:
    """Both players under the recipe of `simulate`. Calls are tagged text if `GEM_LLM_FORM_SIMULATE` is `tags`."""
    assistant, user = work.chain.asking("simulate"), work.chain.asking_user
    native = work.settings.options_for("simulate").form != "tags"
    return Players(
        assistant=_player(assistant, native=native), user=_player(user), form=assistant.prompt, briefing=user.prompt
    )


def _player(asking: Asking, *, native: bool = False) -> Player:
    return Player(model=asking.model, sampling=asking.sampling, native=native)


def beginning(work: Workspace, record: Record) -> AbstractContextManager[Simulation]:
    """A conversation at its first request, while its world is open."""
    scene, built = scene_of(work.chain, record), record.needed("world", Built)
    segment_id, mode = record.segment.segment_id, work.settings.sandbox
    return begun(scene, players_of(work), built, segment_id=segment_id, mode=mode)
