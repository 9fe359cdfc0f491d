"""`gem export`: published trajectories as files for training."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gem_tasks.cli.terminal import echo, echo_json
from gem_tasks.dataset import worlds
from gem_tasks.dataset.export import export_openai
from gem_tasks.distill.files import write_published
from gem_tasks.distill.formats import FORMATS
from gem_tasks.distill.preferences import LEFT_OUT, PREFERENCES, write_preferences
from gem_tasks.edits.tools import FOR_TOOLS
from gem_tasks.errors import UserError
from gem_tasks.files import for_others
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

_ENVIRONMENTS = "environments"
_FORMATS = ("openai", *FORMATS, *PREFERENCES, *FOR_TOOLS, _ENVIRONMENTS)


def export(
    out: Annotated[Path, typer.Option(help="Folder to write to; created if it does not exist.")],
    format_: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(_FORMATS)}.")] = "openai",
    partition: Annotated[str | None, typer.Option(help="Only this partition, such as 2026-01-31T14:00.")] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Environments: exported worlds: a file, or a folder."),
    ] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Environments: of documents that sets hold out of training.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print file and counts as JSON.")] = False,
) -> None:
    """Writes the published trajectories of all partitions, or of one, to a file for training or annotation.

    The format environments writes tasks in worlds instead, as packages for reinforcement learning with verifiers and
    NeMo Gym.

    Examples:
        gem export --out data
        gem export --format sharegpt --out data       (LLaMA-Factory)
        gem export --format atif --out data           (Agent Trajectory Interchange Format)
        gem export --format dpo --out data            (preference pairs: refused and revised answers)
        gem export --format argilla --out review      (annotation; also label-studio; see gem changes import)
        gem export --format openai --partition 2026-01-31T14:00 --out data
        gem export --format environments --out rl     (without documents that sets hold out of training)
    """
    if format_ not in _FORMATS:
        raise UserError(f"There is no export format {format_!r}", f"Choose one of: {', '.join(_FORMATS)}.")
    if format_ == _ENVIRONMENTS:
        _environments(out, source, partition, held_out, as_json)
        return
    if source or held_out:
        raise UserError("--from and --held-out belong to the format environments", "Leave them out.")
    work, left_out = Workspace.open(load()), 0
    with for_others():
        worlds.export(work, out, partition)
    if format_ in PREFERENCES:
        _preferences(work, format_, out, partition, as_json)
        return
    with for_others():
        if format_ == "openai":
            path, count = export_openai(work, out, partition)
        elif format_ in FOR_TOOLS:
            path, count = FOR_TOOLS[format_](work, out, partition)
        else:
            written = write_published(work, format_, out, partition)
            path, count, left_out = written.path, written.rows, written.left_out
    _warn_of_waiting_edits(work, partition)
    if as_json:
        echo_json(json.dumps({"file": str(path), "trajectories": count, "left_out": left_out}))
        return
    echo(f"{count} {'steps' if format_ == 'steps' else 'trajectories'} in {path}")
    if left_out:
        echo(f"{left_out} trajectories left out: the format {format_} cannot express them", err=True)


def _environments(out: Path, source: Path | None, partition: str | None, held_out: bool, as_json: bool) -> None:
    from gem_tasks.cli.export_environments import export_environments  # the runtime of worlds, for this format only

    export_environments(out, source, partition, held_out, as_json)


def _warn_of_waiting_edits(work: Workspace, partition: str | None) -> None:
    with work.ledger() as ledger:
        waiting = ledger.changes.waiting_edits(partition)
    if waiting:
        echo(f"{waiting} trajectories are here as they were before their last edit. Run: gem changes publish", err=True)


def _preferences(work: Workspace, name: str, out: Path, partition: str | None, as_json: bool) -> None:
    with work.ledger() as ledger:
        partitions = [partition] if partition else ledger.stale.partition_keys()
    with for_others():
        found = write_preferences(work, name, out, partitions)
    if as_json:
        echo_json(json.dumps({"file": str(found.path), "preferences": found.kinds, "left_out": found.left_out}))
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.kinds.items())
    echo(f"{sum(found.kinds.values())} preferences ({kinds}) in {found.path}")
    for reason, count in found.left_out.items():
        echo(f"{count} conversations left out: {LEFT_OUT[reason]}", err=True)
