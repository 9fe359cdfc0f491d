"""`gem backfill`: recomputes what is stale in a range of partitions, through Airflow's own backfill of `gem_ingest`.

It estimates, asks for confirmation, creates the backfill over REST and follows it. Meanwhile Airflow's page can
pause, continue or cancel the backfill. Its run of a partition ends with the synthesis, so Airflow's numbers show the
progress.
"""

import json
import time
from typing import Annotated, Any, Literal
from uuid import uuid4

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gem_tasks.airflow_names import INGEST
from gem_tasks.cli.quotas import QuotaOption
from gem_tasks.cli.stale import FromOption, ToOption, as_plain, print_stale
from gem_tasks.cli.terminal import Terminal, confirm, echo_json
from gem_tasks.errors import GemError, UserError
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.rebuild.ranges import Range, bound
from gem_tasks.pipeline.rebuild.stale import Stale, stale
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

_POLL_S = 1.0
_SWEEP_LIMIT_S = 120
_OVER = {"success", "failed"}
_PAIRS = "as NAME=VALUE, repeatable"


def backfill(
    first: FromOption = None,
    last: ToOption = None,
    stage: Annotated[list[str] | None, typer.Option(help="Only these stages; repeatable.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only documents of these sources; repeatable.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N documents of each partition.")] = None,
    budget_usd: Annotated[
        float | None, typer.Option(min=0.01, help="Stop before all partitions together cost more.")
    ] = None,
    quota: QuotaOption = None,
    prompt: Annotated[
        list[str] | None, typer.Option(help=f"Variant: SHA-256 of a stored prompt by stage, {_PAIRS}.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help=f"Variant: model by stage, {_PAIRS}.")] = None,
    order: Annotated[Literal["newest", "oldest"], typer.Option(help="Order of the partitions.")] = "newest",
    max_active: Annotated[int, typer.Option(min=1, help="Concurrent partitions.")] = 2,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON. Does not ask for confirmation.")] = False,
) -> None:
    """Recomputes stale results in the partitions from --from to --to, by default in all partitions.

    You can interrupt it at any time: Airflow runs continue, and the same command continues later. With --prompt or
    --model it computes a variant beside the current results, for `gem diff`; a variant is never published.

    Examples:
        gem backfill --dry-run
        gem backfill --from 2026-01-01 --to 2026-01-31 --budget-usd 20
        gem backfill --from 2026-01-31T14:00 --to 2026-01-31T14:00 --prompt refine=3f9a1c20 --yes
    """
    settings = load()
    options = RunOptions.read(
        {
            "stages": stage, "sources": source, "limit": limit, "budget_usd": budget_usd,
            "quotas": quota,
            "purse": f"backfill {uuid4().hex[:12]}" if budget_usd else None,
            "prompts": _pairs(prompt, "--prompt"), "models": _pairs(model, "--model"),
        }
    )  # fmt: skip
    work = Workspace.open(settings, options=options)
    found = stale(work, bound(first, end=False) if first else None, bound(last, end=True) if last else None)
    console = Terminal(stderr=as_json, highlight=False, quiet=as_json)
    print_stale(found, console)
    if not found.ranges or dry_run:
        if as_json:
            echo_json(json.dumps(as_plain(found), indent=1))
        return
    if not (yes or as_json):
        confirm(_question(found, max_active))
    with AirflowAPI(settings) as api:
        _refuse_second(api)
        made = [_one(api, each, options, order, max_active, console) for each in _ordered(found.ranges, order)]
    _report(made, console, as_json)


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in given or []]
    if bad := next((name for name, equals, value in pairs if not (equals and name and value)), None):
        raise UserError(f"{option} {bad!r} is not NAME=VALUE", f"For example: {option} refine=…")
    return {name: value for name, _, value in pairs}


def _partitions(count: int) -> str:
    return "1 partition" if count == 1 else f"{count} partitions"


def _question(found: Stale, max_active: int) -> str:
    partitions = sum(each.partitions for each in found.ranges)
    cost = "an unknown amount" if found.total.usd is None else f"about ${found.total.usd:,.2f}"
    calls = f"about {found.total.calls:,.0f} calls, {cost}"
    return f"\nBackfill {_partitions(partitions)} ({calls}), {max_active} at a time?"


def _refuse_second(api: AirflowAPI) -> None:
    if running := api.open_backfills(INGEST):
        number = running[0]["id"]
        raise UserError(
            f"Backfill {number} of {INGEST} is {'paused' if running[0]['is_paused'] else 'running'}",
            f"Airflow runs one backfill at a time. Wait for it, continue it or cancel it: {_page(api)}",
        )


def _ordered(ranges: list[Range], order: str) -> list[Range]:
    return ranges[::-1] if order == "newest" else ranges


def _one(
    api: AirflowAPI, part: Range, options: RunOptions, order: str, max_active: int, console: Terminal
) -> dict[str, Any]:
    """Creates the backfill of one range and follows it to its end."""
    first, last = part.dates
    body = {
        "dag_id": INGEST,
        "from_date": first,
        "to_date": last,
        # Airflow's "all runs": also announces partitions that were ingested before.
        "reprocess_behavior": "completed",
        "run_backwards": order == "newest",
        "max_active_runs": max_active,
        "dag_run_conf": options.packed(),
    }
    made = api.backfill(body)
    console.print(
        f"Backfill {made['id']} of {part.first} to {part.last}: {_page(api)}\n"
        "You can pause, continue or cancel it there. Ctrl-C here does not stop it.",
        soft_wrap=True,
    )
    states = _follow(api, made, console)
    _wait_complete(api, made["id"])
    return {"id": made["id"], "first": part.first, "last": part.last, "runs": states}


def _follow(api: AirflowAPI, made: dict[str, Any], console: Terminal) -> dict[str, str]:
    """The state of each partition's run, once all have ended or the backfill is cancelled."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("partitions", total=None)
        while True:
            backfill = api.backfill_state(made["id"])
            runs = api.backfill_runs(INGEST, made["created_at"])
            states = {key: run["state"] for key, run in runs.items()}
            over = sum(state in _OVER for state in states.values())
            what = "paused" if backfill["is_paused"] else "partitions"
            progress.update(bar, total=len(states), completed=over, description=what)
            if states and over == len(states):
                return states
            if backfill["completed_at"] and not states:
                return states
            time.sleep(_POLL_S)


def _wait_complete(api: AirflowAPI, backfill_id: int) -> None:
    """Waits until Airflow marks the backfill complete (every 30 s), because it accepts no second one before."""
    deadline = time.monotonic() + _SWEEP_LIMIT_S
    while api.backfill_state(backfill_id)["completed_at"] is None and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _page(api: AirflowAPI) -> str:
    return f"{api.url}/dags/{INGEST}/backfills"


def _report(made: list[dict[str, Any]], console: Terminal, as_json: bool) -> None:
    if as_json:
        echo_json(json.dumps(made, indent=1))
    failed = [key for each in made for key, state in each["runs"].items() if state == "failed"]
    done = sum(len(each["runs"]) for each in made) - len(failed)
    console.print(f"{_partitions(done)} completed.")
    if failed:
        raise GemError(
            f"{_partitions(len(failed))} failed or cancelled: {', '.join(sorted(failed)[:5])}. See the logs of"
            " gem_synthesize; the same command continues."
        )
