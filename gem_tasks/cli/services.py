"""`gem up | down | status | doctor`: the embedded services."""

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal, echo, echo_json, echo_login
from gem_tasks.local import doctor as examination
from gem_tasks.local import processes, services
from gem_tasks.local import security as safety
from gem_tasks.local.state import load_state
from gem_tasks.resources import shipped
from gem_tasks.settings import load

AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


def up() -> None:
    """Starts PostgreSQL, the offline teacher (if installed) and Airflow, and waits until they are ready.

    Running it again is safe, also after a crash. State is kept in GEM_HOME (default .gem).

    Examples:
        gem up
        GEM_AIRFLOW_PORT=9090 gem up
    """
    from gem_tasks.pipeline.quota_setting import quotas_of

    quotas_of(load())  # hourly runs would fail later, where fewer people look
    console = Terminal(stderr=True)
    with console.status("starting services") as spinner:

        def say(line: str) -> None:
            spinner.update(escape(line))
            console.print(f"[dim]·[/] {escape(line)}")

        services.up(say=say)
    _print_login()


def _print_login() -> None:
    settings = load()
    password = load_state(services.home_dir()).admin_password
    echo_login(f"Airflow:  {settings.airflow_url}   user {settings.airflow_username}   password {password}")
    echo(f"Next:     gem run {shlex.quote(_examples())}")


def _examples() -> str:
    """Path of GEM's example texts, relative to the current folder if possible."""
    folder = shipped("examples") / "corpus"
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)


def down() -> None:
    """Stops the services that `gem up` started; all data is kept."""
    with Terminal(stderr=True).status("stopping services"):
        services.down()
    echo("Services stopped.")


def status(as_json: AsJson = False) -> None:
    """Shows which services are running, the address of the UI, and how to log in.

    Examples:
        gem status
        gem status --json | jq .healthy
    """
    found = _status()
    if as_json:
        echo_json(json.dumps(found, indent=1))
        return
    table = Table("service", "state", min_width=50)
    for name, fault in found["services"].items():
        table.add_row(name, "[green]up[/]" if fault is None else f"[red]{escape(fault)}[/]")
    Terminal().print(table)
    if found["healthy"]:
        _print_login()
    else:
        echo(f"Start them:  gem up      Logs: {found['logs']}")


def _status() -> dict[str, Any]:
    home = services.home_dir()
    names = services.parts()
    started = (home / "services.env").exists()
    faults = services.faults() if started else dict.fromkeys(names, "not started")
    return {
        "healthy": not faults,
        "services": {name: faults.get(name) for name in names},
        "processes": len(processes.ours(home)),
        "airflow_url": load().airflow_url,
        "home": str(home),
        "logs": str(home / "logs"),
    }


def doctor(
    security: Annotated[
        bool, typer.Option("--security", help="Test which security measures are effective on this machine.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Checks Python, disk, database, store, models and Airflow, and says how to fix each problem.

    Sends one short request to every model that the stages use, in the form that a run would use. Exit code 2 if a check
    fails.

    Examples:
        gem doctor
        gem doctor --json | jq '.[] | select(.name == "model").model'
        gem doctor --security --json
    """
    with shown(quiet=as_json) as say:
        if security:
            found = list(safety.examine(load()))
        else:
            found = list(examination.examine(load(), lambda done, total: say("testing the models", done, total)))
    if as_json:
        echo_json(json.dumps([diagnosis.model_dump(mode="json") for diagnosis in found], indent=1))
    else:
        table = Table("", "", "", min_width=60, show_header=False)
        for diagnosis in found:
            mark = "[green]ok[/]" if diagnosis.ok else "[red]no[/]"
            table.add_row(mark, escape(diagnosis.name), escape(diagnosis.line))
        Terminal().print(table)
    if not all(diagnosis.ok for diagnosis in found):
        raise typer.Exit(2)
