"""Begins a conversation in a world, in a confined process."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager

from gem_tasks.confine.job import SandboxMode
from gem_tasks.simulate.scene import Caps, Players, Scene
from gem_tasks.simulate.simulation import Simulation
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.goals.judged import Verdict, goal_in
from gem_tasks.worlds.goals.run import ran
from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.session import Session, opened
from gem_tasks.worlds.steps import Answer, Step
from gem_tasks.worlds.world import World

_CAPS = Caps()


@contextmanager
def begun(
    scene: Scene,
    players: Players,
    built: Built,
    *,
    segment_id: str = "",
    caps: Caps = _CAPS,
    mode: SandboxMode = "auto",
) -> Generator[Simulation]:
    """A conversation with its outcome, if the world cannot be opened; otherwise with its first request.

    Raises:
        KeyError: the task has no such variant.
    """
    table = _Table(scene, built.world)
    simulation = Simulation(scene, players, table, table.verdict, caps, segment_id)
    with ExitStack() as stack:
        try:
            opening = opened(built.world, scene.played_variant.scenario, seed=scene.seed, mode=mode)
            table.session = stack.enter_context(opening)
        except (RefusedWorldError, ValueError) as error:
            simulation.refused(error)
        yield simulation


class _Table:
    """A session that judges in the same process."""

    session: Session

    def __init__(self, scene: Scene, world: World) -> None:
        self._scene, self._world = scene, world

    def take(self, steps: Sequence[Step]) -> list[Answer]:
        return self.session.take(steps)

    def verdict(self, steps: tuple[Step, ...]) -> Verdict:
        goal = goal_in(self.session, self._world, self._scene.task, self._scene.played_variant)
        return goal.verdict(ran(self.session, steps))
