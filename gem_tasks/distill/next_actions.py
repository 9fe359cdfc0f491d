"""The conversations in which the models of an experiment are asked for next actions: held out of every arm."""

from collections.abc import Iterable, Iterator

from gem_tasks.distill import sets
from gem_tasks.distill.experiment import Plan
from gem_tasks.evals.calls.conversations import Conversation, LeftOut, read_conversations
from gem_tasks.evals.options import CallsOptions
from gem_tasks.lint.files import Line
from gem_tasks.pipeline.workspace import Workspace

_SMOKE = 12
"""Turns of a run that only tests that everything works together."""


def held_out_conversations(work: Workspace, plan: Plan, left_out: LeftOut) -> list[Conversation]:
    """Conversations of documents that are in the test split of every arm that has them, the same for all arms.

    If arms have a conversation in different forms, it is the last arm's: the refined one, not its draft.
    """
    trained: set[str] = set()
    groups: dict[str, str] = {}
    specs = [plan.spec(arm) for arm in reversed(plan.experiment.arms)]
    for spec in specs:
        for each, split in sets.place(sets.candidates(work, spec), spec):
            groups[each.trajectory_id] = each.group
            trained |= {each.group} if split != "test" else set()
    seen = {key for key, group in groups.items() if group in trained}
    rows = (row for spec in specs for row in sets.read(work, sets.build(work, spec), "test"))
    found = read_conversations(_lines(rows, seen), left_out)
    return sorted(found, key=lambda each: each.name)


def options_of(plan: Plan) -> CallsOptions:
    """The plan's limits. Contexts longer than any that the profile trains on are left out for all arms alike."""
    own, longest = plan.options, plan.profile.sft.get("max_length")
    wanted = {
        "turns": own.turns or (_SMOKE if own.subset == "smoke" else None),
        "max_context": longest,
        "max_tokens": own.max_tokens,
        "request_timeout_s": own.request_timeout_s,
    }
    return CallsOptions.model_validate({name: value for name, value in wanted.items() if value is not None})


def _lines(rows: Iterable[dict[str, str]], seen: set[str]) -> Iterator[Line]:
    """Those that were not seen, each once."""
    for row in rows:
        if (key := row["trajectory_id"]) not in seen:
            seen.add(key)
            yield Line(key, dict(row))
