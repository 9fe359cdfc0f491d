"""The `gem` command: one file per group of commands, one place where errors become a line and an exit code."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from gem_tasks.cli import (
    audit,
    backfill,
    check,
    contamination,
    dialects,
    diff,
    distill,
    evaluate,
    experiment,
    export,
    failures,
    gates,
    ground,
    inspect,
    judge,
    models,
    prefilter,
    prompts,
    retention,
    run,
    services,
    source,
    stale,
    synth,
)
from gem_tasks.cli.terminal import echo, guard
from gem_tasks.errors import GemError, UserError
from gem_tasks.files import keep_private
from gem_tasks.redaction.outlets import shown_traceback

app = typer.Typer(
    name="gem",
    help="Turns ordinary text into validated multi-turn tool-use trajectories.",
    epilog="Start with: gem up. It says what to run next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        echo(f"gem {version('gem-tasks')}")
        raise typer.Exit


@app.callback()
def _options(
    shows_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...


services.register(app)
run.register(app)
synth.register(app)
inspect.register(app)
failures.register(app)
stale.register(app)
backfill.register(app)
diff.register(app)
gates.register(app)
judge.register(app)
audit.register(app)
source.register(app)
check.register(app)
export.register(app)
contamination.register(app)
dialects.register(app)
evaluate.register(app)
models.register(app)
ground.register(app)
distill.register(app)
experiment.register(app)
prompts.register(app)
prefilter.register(app)
retention.register(app)


def main() -> None:
    """Runs the command. Exit code 2: the user can fix it; 1: GEM or a run failed."""
    keep_private()
    guard()
    try:
        app()
    except UserError as error:
        sys.exit(_say(f"gem: {error}", 2))
    except GemError as error:
        sys.exit(_say(f"gem: {error}", 1))
    except KeyboardInterrupt:
        sys.exit(_say("gem: interrupted; what runs in Airflow continues", 130))
    except Exception as error:  # noqa: BLE001 - a bug of ours: its traceback, but no secret that is in it
        sys.exit(_say(shown_traceback(error), 1))


def _say(line: str, code: int) -> int:
    echo(line, err=True)
    return code
