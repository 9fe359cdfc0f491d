"""`gem export`: published trajectories as files for training."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gem_tasks.dataset.export import FORMATS
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(export)


def export(
    out: Annotated[Path, typer.Option(help="Folder to write to; made if it does not exist.")],
    format_: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")] = "openai",
    partition: Annotated[str | None, typer.Option(help="Only this partition, such as 2026-01-31T14:00.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print file and count as JSON.")] = False,
) -> None:
    """Writes the current trajectories of all partitions, or of one.

    Examples:
        gem export --out data
        gem export --format openai --partition 2026-01-31T14:00 --out data
    """
    if format_ not in FORMATS:
        raise UserError(f"There is no export format {format_!r}", f"Choose one of: {', '.join(FORMATS)}.")
    path, count = FORMATS[format_](Workspace.open(load()), out, partition)
    typer.echo(json.dumps({"file": str(path), "trajectories": count}) if as_json else f"{count} trajectories in {path}")
