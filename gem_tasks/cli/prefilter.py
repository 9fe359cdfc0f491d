"""`gem prefilter`: the classifier that rejects texts before the filter model is called."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.pipeline.upkeep.prefilter_training import recheck, status, train
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

group = typer.Typer(
    help="Trains and watches the prefilter, a classifier that rejects texts without a model call.",
    no_args_is_help=True,
    add_completion=False,
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


@group.command("status")
def show_status(as_json: JsonOption = False) -> None:
    """Shows whether a prefilter is in use, why not, and the saved calls and missed texts of each one.

    Examples:
        gem prefilter status
        gem prefilter status --json | jq .saved_calls
    """
    found = status(Workspace.open(load()))
    if as_json:
        echo_json(json.dumps(found, indent=1))
        return
    console = Terminal(highlight=False)
    verdicts = found["verdicts"]
    console.print(f"Verdicts of the current filter: {verdicts['accepted']} accepted, {verdicts['rejected']} rejected")
    console.print(_in_use(found), soft_wrap=True)
    if found["prefilters"]:
        console.print(_table(found["prefilters"]))
    money = f", about ${found['usd_saved']:.2f}" if found["usd_saved"] else ""
    console.print(f"Calls saved: {found['saved_calls']}{money}")
    if found["withdrawn_rejections"]:
        console.print(
            f"{found['withdrawn_rejections']} segments were rejected by prefilters that were switched off later. "
            "Let the model decide about them: gem prefilter recheck"
        )


@group.command("train")
def learn(
    force: Annotated[bool, typer.Option("--force", help="Train even if the current prefilter is new.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Trains a prefilter on the existing verdicts, if there are enough. The DAG gem_prefilter does this daily.

    Examples:
        gem prefilter train
        gem prefilter train --force --json
    """
    console = Terminal(stderr=True, quiet=as_json)
    with console.status("training"):
        found = train(Workspace.open(load()), force=force)
    if as_json:
        echo_json(found.model_dump_json(indent=1))
    else:
        echo(f"{found.state.replace('_', ' ')}: {found.reason}")


@group.command("recheck")
def ask_again(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show how many there are.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Marks segments that switched-off prefilters rejected, so that the next run of their partitions asks the model.

    Examples:
        gem prefilter recheck --dry-run
    """
    found = recheck(Workspace.open(load()), dry_run=dry_run)
    if as_json:
        echo_json(json.dumps({"marked": 0 if dry_run else sum(found.values()), "partitions": found}, indent=1))
        return
    verb = "would be marked" if dry_run else "are marked: the next run of their partition asks the model"
    echo(f"{sum(found.values())} segments {verb}")
    for partition, count in found.items():
        echo(f"  {partition}  {count}")


def _in_use(found: dict[str, Any]) -> str:
    if found["setting"] == "off":
        return "Not in use: GEM_PREFILTER is off"
    if found["in_use"]:
        return f"In use: {found['in_use']}"
    needed, have = found["needed_held_out_accepted"], found["verdicts"]["unbiased_accepted"]
    last = found["prefilters"][0] if found["prefilters"] else None
    if last and last["retired_because"] == "drift":
        return f"Not in use, because it switched itself off: {escape(last['retired_detail'])}"
    return (
        f"Not in use: half of the accepted verdicts are held out to prove 98 % recall, which needs {needed} of them; "
        f"there are {have} accepted verdicts in all. Train with: gem prefilter train"
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table()
    for column in ("prefilter", "trained", "recall at least", "calls saved", "random share", "missed", "state"):
        table.add_column(column, justify="right" if column in ("calls saved", "random share", "missed") else "left")
    for row in rows:
        state = "in use" if row["retired_at"] is None else f"{row['retired_because']} {row['retired_at'][:16]}"
        table.add_row(
            row["prefilter_id"],
            row["trained_at"][:16],
            f"{row['report']['recall_at_least']:.1%}",
            str(row["saved_calls"]),
            str(row["share_asked"]),
            f"{row['share_missed']} of {row['share_accepted']}",
            state,
        )
    return table
