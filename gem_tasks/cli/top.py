"""`gem top`: what is running now, live in the terminal."""

import time
from typing import Annotated

import typer
from rich.live import Live

from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.cli.top_sources import Sources
from gem_tasks.cli.top_state import Top, picture
from gem_tasks.cli.top_view import drawn
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

_PATIENCE_S = 10.0
"""Seconds until a source that does not answer is named."""
_ONCE_S = 30.0
"""The same with `--once`, which waits: one half for Airflow and the tasks, one for Postgres."""


def top(
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two pictures.")] = 2.0,
    once: Annotated[
        bool, typer.Option("--once", help="Print one picture and exit; so it does without a terminal.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one picture as JSON and exit.")] = False,
) -> None:
    """Shows running runs and shards, rates, cost, endpoints and failures, until Ctrl-C.

    It reads Airflow, the lineage and what running tasks report every five seconds, and changes nothing. It names a
    source that does not answer, and shows the rest. Exit code 1 of `--once` and `--json`: no source answered.

    Examples:
        gem top
        gem top --once
        gem top --json | jq '.endpoints[] | {endpoint, health, in_flight}'
    """
    console = Terminal()
    sources = Sources(Workspace.open(load()))
    if once or as_json or not console.is_terminal:
        found = _once(sources)
        if as_json:
            echo_json(found.model_dump_json(indent=1))
        else:
            console.print(drawn(found))
        if len(found.unavailable) == len(list(sources)):
            raise typer.Exit(1)
        return
    _live(sources, console, every)


def _once(sources: Sources) -> Top:
    """Waits for Airflow and the tasks, which say what to ask Postgres about."""
    for together in ((sources.airflow, sources.pulses), (sources.lineage,)):
        end = time.monotonic() + _ONCE_S / 2
        for source in together:
            source.refresh()
        for source in together:
            source.wait(max(0.0, end - time.monotonic()))
    found = _picture(sources, 0.0)
    sources.close()
    return found


def _live(sources: Sources, console: Terminal, every: float) -> None:
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                for source in sources:
                    source.refresh()
                live.update(drawn(_picture(sources, _PATIENCE_S), console.height), refresh=True)
                time.sleep(every)
        except KeyboardInterrupt:
            return


def _picture(sources: Sources, patience_s: float) -> Top:
    complaints = [line for source in sources if (line := source.complaint(patience_s))]
    found = picture(time.time(), complaints, sources.airflow.value, sources.pulses.value, sources.lineage.value)
    return found.model_copy(update={"answered": sources.airflow.answered and sources.pulses.answered})
