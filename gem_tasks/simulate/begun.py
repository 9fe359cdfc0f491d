"""Begins a conversation in a world, in a confined process."""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.base import Json
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
    table = _Table(scene, built.world, mode)
    simulation = Simulation(scene, players, table, table.verdict, caps, segment_id)
    with ExitStack() as stack:
        try:
            table.session = stack.enter_context(table.opened())
        except (RefusedWorldError, ValueError) as error:
            simulation.refused(error)
        yield simulation


class _Table:
    """A session that remembers its results, and judges by a replay in a fresh process."""

    session: Session

    def __init__(self, scene: Scene, world: World, mode: SandboxMode) -> None:
        self._scene, self._world = scene, world
        self._mode: SandboxMode = mode
        self._told: list[Json | None] = []

    def opened(self) -> AbstractContextManager[Session]:
        return opened(self._world, self._scene.played_variant.scenario, seed=self._scene.seed, mode=self._mode)

    def take(self, steps: Sequence[Step]) -> list[Answer]:
        answers = self.session.take(steps)
        self._told += [answer.result for answer in answers]
        return answers

    def verdict(self, steps: tuple[Step, ...]) -> Verdict:
        """Counts consent that the log does not show as given, with the reason: `verify` reads the words.

        Raises:
            RefusedWorldError: the replay gives other results.
        """
        with self.opened() as session:
            run = ran(session, steps)
            results = [answer.result for answer in run.answers]
            if results != self._told:
                at = next(at for at, pair in enumerate(zip(results, self._told, strict=True)) if pair[0] != pair[1])
                raise RefusedWorldError("not_repeatable", f"step {at} of {len(steps)} has another result in a replay")
            found = goal_in(session, self._world, self._scene.task, self._scene.played_variant).verdict(run)
            return found.model_copy(update={"reached": True}) if found.open else found
