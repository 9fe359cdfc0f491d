"""Why a try missed its goal: one cause, from the states, the log of calls and the end of the conversation. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from gem_tasks.worlds.goals.canonical import Canonical, Tables, is_new
from gem_tasks.worlds.goals.run import Run, carried_out
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.task import Task, Variant
from gem_tasks.worlds.world import World

Cause = Literal[
    "world", "user", "cap", "malformed", "gave_up", "wrong_target", "omitted_write", "extra_write", "wrong_value",
    "condition", "did_not_look",
]  # fmt: skip
"""The first that holds:

- `world`: a fault of the world itself; `user`: the simulated user broke its role. Both are outside the model.
- `cap`: too many calls, turns or identical retries; `malformed`: calls that cannot be read.
- `gave_up`: no write of the assistant took effect, and the reference has one.
- `wrong_target`: another record than the reference's was written; `omitted_write`: one was not written; `extra_write`:
  one was written that the reference leaves; `wrong_value`: the right records have other values.
- `condition`: the state is right, but a condition on the calls is broken.
- `did_not_look`: the case changes nothing, and no call of the reference's tools succeeded.
"""
OUTSIDE: frozenset[Cause] = frozenset({"world", "user"})


def of_states(world: World, task: Task, variant: Variant, run: Run, reference: Run) -> Cause:
    """The cause that states and calls tell."""
    if _writes(world, variant, reference) and not _writes(world, variant, run):
        return "gave_up"
    omitted, extra, differs = _touched(task, run, reference)
    replaced = omitted & extra
    omitted, extra = omitted - replaced, extra - replaced
    if omitted and extra:
        return "wrong_target"
    if omitted or extra:
        return "omitted_write" if omitted else "extra_write"
    return "wrong_value" if replaced or differs else "condition"


def _writes(world: World, variant: Variant, run: Run) -> bool:
    reads = {tool.name for tool in world.tools if tool.reads}
    return any(
        isinstance(step, Call) and step.name not in reads and carried_out(step, answer, variant.scenario)
        for step, answer in zip(run.steps, run.answers, strict=True)
    )


def _touched(task: Task, run: Run, reference: Run) -> tuple[Counter[str], Counter[str], bool]:
    """Records that only the reference changed, those that only the run changed, and whether common ones differ.

    Outside the outcome tables, a record that the reference changed may be as it likes.
    """
    wanted, got = _changed(task, reference), _changed(task, run)
    omitted = Counter(_name(key) for key in wanted.keys() - got.keys() if key[0] in task.tables)
    adds = {table for table, key in wanted if is_new(key)}
    free = {key for key in got if key[0] not in task.tables and is_new(key[1]) and key[0] in adds}
    extra = Counter(_name(key) for key in got.keys() - wanted.keys() - free)
    common = (key for key in wanted.keys() & got.keys() if key[0] in task.tables)
    return omitted, extra, any(wanted[key] != got[key] for key in common)


def _changed(task: Task, run: Run) -> dict[tuple[str, str], Any]:
    names = run.first.tables.keys() | run.last.tables.keys()
    before = Canonical(run, first=True, volatile=task.volatile).tables(names)
    after = Canonical(run, volatile=task.volatile).tables(names)
    return dict(_differing(before, after))


def _differing(before: Tables, after: Tables) -> Iterator[tuple[tuple[str, str], Any]]:
    for table in sorted(before.keys() | after.keys()):
        old, new = before.get(table, {}), after.get(table, {})
        for key in sorted(old.keys() | new.keys()):
            if key not in old or key not in new or old[key] != new[key]:
                yield (table, key), new.get(key)


def _name(key: tuple[str, str]) -> str:
    """New records of a kind are alike: their keys depend on their contents."""
    table, record = key
    return f"{table} {' '.join(record.split(' ')[:2]) if is_new(record) else record}"
