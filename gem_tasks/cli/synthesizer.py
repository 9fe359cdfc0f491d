"""`gem synthesizer`: what a synthesizer in the pipeline costs and saves, where it is good, and what was decided."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.distill.in_use import report
from gem_tasks.errors import UserError
from gem_tasks.evals.in_use import InUse, in_use
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def synthesizer(
    out: Annotated[Path | None, typer.Option(help="Write the report to this file, as Markdown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Compares the synthesizer with the pipeline on the texts that went both ways: cost, validity by group, decisions.

    A drop of more than 20 % against the other groups is flagged. Everything comes from recorded results; no model is
    called.

    Examples:
        gem synthesizer
        gem synthesizer --out synthesizer.md
        gem synthesizer --json | jq '.groups[] | {name, open: .state.open}'
    """
    found = in_use(Workspace.open(load()))
    if out:
        _write(out, report(found))
    if as_json:
        echo_json(json.dumps(_plain(found), indent=1))
    elif not out:
        Terminal(highlight=False).print(Markdown(report(found)))


def _plain(found: InUse) -> dict[str, object]:
    """The numbers, with those that are computed from others."""
    plain = found.model_dump(mode="json")
    ways = {name: getattr(found, name).per_accepted.model_dump() for name in ("synthesizer", "pipeline", "alone")}
    for row, group in zip(plain["groups"], found.groups, strict=True):
        row |= {"flagged": group.flagged, "decision": group.decision, "why": group.state.why}
    return {**plain, "per_accepted": ways, "spared": found.spared.model_dump(mode="json")}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}", "Choose another --out.") from error
