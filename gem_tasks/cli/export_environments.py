"""`gem export --format environments`: tasks in worlds as packages for reinforcement learning."""

import json
from collections import Counter
from pathlib import Path

from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import echo, echo_json
from gem_tasks.environments.rows import environments_of
from gem_tasks.environments.stored import for_training
from gem_tasks.environments.write import write_packages
from gem_tasks.errors import UserError
from gem_tasks.evals.worlds.exported import exported
from gem_tasks.files import for_others
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def export_environments(out: Path, source: Path | None, partition: str | None, held_out: bool, as_json: bool) -> None:
    """Writes the packages, and says what is in them.

    Args:
        out: folder to write to.
        source: exported worlds; None: those of the published datasets.
        partition: only this partition of the published datasets.
        held_out: environments of documents that sets hold out of training, instead of all others.
        as_json: print JSON.
    """
    if source and (partition or held_out):
        raise UserError("Files know no partition and no split", "Leave out --partition and --held-out, or --from.")
    settings = load()
    if source:
        worlds, left_out = exported(source), 0
    else:
        chosen = for_training(Workspace.open(settings), partition, held_out=held_out)
        worlds, left_out = [each.replayable for each in chosen.worlds], chosen.left_out
    with shown(as_json) as progress:
        found = environments_of(worlds, mode=settings.sandbox, progress=progress)
    if not found.rows:
        reasons = "; ".join(sorted(set(found.refused.values())))[:300]
        raise UserError(f"No task can be an environment: {reasons}", "Choose other worlds.")
    with for_others():
        folders = write_packages(found, out)
    if as_json:
        counts = {"environments": len(found.rows), "worlds": len(found.worlds), "left_out": found.refused}
        other_split = {"worlds_of_the_other_split": left_out}
        echo_json(json.dumps({"folders": list(map(str, folders)), **counts, **other_split}))
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(row.kind for row in found.rows).most_common())
    worlds_in = "1 world" if len(found.worlds) == 1 else f"{len(found.worlds)} worlds"
    echo(f"Environments: {len(found.rows)} ({kinds}) in {worlds_in}: {' and '.join(map(str, folders))}")
    for reason, count in Counter(found.refused.values()).most_common():
        echo(f"{count} left out: {reason}", err=True)
    if left_out:
        side = "that sets train on or do not have" if held_out else "held out of training: gem export --held-out"
        echo(f"{left_out} worlds left out: of documents {side}", err=True)
