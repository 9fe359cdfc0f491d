"""The tasks on which the models of an experiment are measured: those of texts that no arm was trained on."""

from collections.abc import Iterator

from gem_tasks.distill import sets
from gem_tasks.distill.experiment import Plan
from gem_tasks.evals.worlds.cases import Case, cases_of
from gem_tasks.evals.worlds.stored import stored
from gem_tasks.lineage.evaluations import SegmentPlace
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.simulate.scene import Caps

_SMOKE = 1
"""Tasks of a run that only tests that everything works together."""
_BRIEF = Caps(calls=8, turns=3)
"""Limits of its conversations: two models without training would talk to the last turn."""


def held_out_cases(work: Workspace, plan: Plan) -> list[Case]:
    """Cases of the documents that are in the test split of every arm that has them; none if these have no worlds."""
    own = plan.options
    most = own.tasks or (_SMOKE if own.subset == "smoke" else None)
    shelves = [each for each in stored(work, sorted(_places(work, plan), key=lambda row: row[1:])) if each.tasks]
    return cases_of(shelves, most) if shelves else []


def caps_of(plan: Plan) -> Caps:
    """Limits of the conversations."""
    return _BRIEF if plan.options.subset == "smoke" else Caps()


def _places(work: Workspace, plan: Plan) -> Iterator[SegmentPlace]:
    tested: dict[str, SegmentPlace] = {}
    groups: dict[str, str] = {}
    trained: set[str] = set()
    for arm in plan.experiment.arms:
        spec = plan.spec(arm)
        for each, split in sets.place(sets.candidates(work, spec), spec):
            groups[each.segment_id] = each.group
            tested[each.segment_id] = SegmentPlace(each.segment_id, each.partition, each.shard)
            if split != "test":
                trained.add(each.group)
    return (place for key, place in tested.items() if groups[key] not in trained)
