"""From worlds with tasks to the rows of an environment: every variant of every task that its own reference solves."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.chat import ChatMessage
from gem_tasks.environments.kit.play import Row
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.evals.worlds.admission import admitted
from gem_tasks.evals.worlds.cases import IDLE, Case, cases_of
from gem_tasks.evals.worlds.policies import said
from gem_tasks.prompts import load
from gem_tasks.simulate.contexts import of_user
from gem_tasks.simulate.scene import Player, Players, Scene
from gem_tasks.worlds.built import world_id
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.pool import Pool

IDLE_REASON = "a conversation without any call reaches its goal"


class Environments(NamedTuple):
    """What a package holds."""

    rows: list[Row]
    worlds: dict[str, Replayable]
    """By the name of the file."""
    refused: dict[str, str]
    """Why other variants were left out, by id."""


def environments_of(
    shelves: Iterable[Replayable], *, seed: int = 0, mode: SandboxMode = "auto", progress: Progress = silent
) -> Environments:
    """The rows of worlds with tasks.

    Args:
        shelves: worlds with tasks.
        seed: decides where numbers of new records begin.
        mode: strictness of the sandbox: every reference is carried out.
        progress: told of each reference.

    Raises:
        UserError: there is no task.
    """
    cases = cases_of(shelves)
    with Pool(mode=mode) as pool:
        found = admitted(cases, seed, pool, progress)
    kept = [case for case in cases if found.kinds.get(case.case_id, IDLE) != IDLE]
    idle = {case_id: IDLE_REASON for case_id, kind in found.kinds.items() if kind == IDLE}
    worlds = {f"{world_id(case.shelf.world)}.json": case.shelf for case in kept}
    return Environments([_row(case, seed) for case in kept], worlds, found.refused | idle)


def _row(case: Case, seed: int) -> Row:
    return Row(
        id=case.case_id,
        world=f"{world_id(case.shelf.world)}.json",
        task=case.number,
        variant=case.variant.name,
        kind=case.kind,
        seed=seed,
        title=case.task.title,
        system=case.task.system,
        tools=tuple(tool.to_openai() for tool in case.tools),
        user=tuple({"role": each.role, "content": each.content} for each in _briefing(case, seed)),
        script=tuple(said(case.task, case.variant.reference)),
        deeds=case.task.deeds,
        document=case.shelf.segment_id,
    )


def _briefing(case: Case, seed: int) -> Sequence[ChatMessage]:
    """What a model that plays the user is told: the same as in GEM's own conversations."""
    unasked = Player(model="")
    players = Players(assistant=unasked, user=unasked, form=load("simulate"), briefing=load("simulate.user"))
    scene = Scene(
        world=world_id(case.shelf.world),
        task=case.task,
        index=case.number,
        variant=case.variant.name,
        seed=seed,
        tools=case.tools,
    )
    return of_user(players, scene).request.messages
