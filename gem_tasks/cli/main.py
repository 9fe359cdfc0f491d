"""The `gem` command: the table of commands, and the one place where errors become a line and an exit code."""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from gem_tasks.cli.lazy import Command, lazy_group
from gem_tasks.cli.terminal import echo, guard
from gem_tasks.errors import GemError, UserError
from gem_tasks.files import keep_private
from gem_tasks.redaction.outlets import shown_traceback

COMMANDS = (
    Command("Run", "up", "services:up"),
    Command("Run", "down", "services:down"),
    Command("Run", "status", "services:status"),
    Command("Run", "doctor", "services:doctor"),
    Command("Run", "source", "source:group"),
    Command("Run", "run", "run:app"),
    Command("Run", "synth", "synth:app"),
    Command("Run", "export", "export:export"),
    Command("Run", "publish", "publish:publish"),
    Command("Look", "top", "top:top"),
    Command("Look", "show", "inspect:show"),
    Command("Look", "lineage", "inspect:lineage"),
    Command("Look", "failures", "failures:list_failures"),
    Command("Look", "stale", "stale:stale_command"),
    Command("Look", "diff", "diff:diff"),
    Command("Look", "gates", "gates:gates"),
    Command("Look", "synthesizer", "synthesizer:synthesizer"),
    Command("Look", "check", "check:check"),
    Command("Look", "judge", "judge:judge"),
    Command("Look", "ground-api", "ground:ground_api"),
    Command("Look", "world", "world:group"),
    Command("Look", "dialects", "dialects:dialects"),
    Command("Change", "retry", "failures:retry_failures"),
    Command("Change", "backfill", "backfill:backfill"),
    Command("Change", "review", "gates:review"),
    Command("Change", "veto", "changes:veto_trajectory"),
    Command("Change", "edit", "edit:edit_trajectory"),
    Command("Change", "comment", "changes:comment_on"),
    Command("Change", "changes", "changes:group"),
    Command("Change", "prompts", "prompts:group"),
    Command("Change", "plans", "plans:group"),
    Command("Change", "quotas", "quotas:quotas"),
    Command("Change", "audit", "audit:audit"),
    Command("Change", "prefilter", "prefilter:group"),
    Command("Change", "gc", "retention:gc"),
    Command("Train", "contamination", "contamination:show"),
    Command("Train", "distill", "distill:group"),
    Command("Train", "models", "models:models"),
    Command("Train", "eval", "evaluate:evaluate"),
    Command("Train", "experiment", "experiment:group"),
)
"""Every command once, in the order and under the headings of `gem --help`."""

app = typer.Typer(
    name="gem",
    cls=lazy_group(COMMANDS),
    epilog="Start with: gem up. It says what to run next. Examples of a command: gem COMMAND --help",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        echo(f"gem {version('gem-tasks')}")
        raise typer.Exit


@app.callback()
def gem(
    shows_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Turns ordinary text into validated multi-turn tool-use trajectories."""
    if any(name.upper().startswith("GEM_") for name in os.environ):
        _name_unread()


def _name_unread() -> None:
    """Names variables that look like settings but are none, before the command ignores them."""
    from gem_tasks.settings import unread_variables  # takes longer than `gem --help`
    from gem_tasks.variables import newly

    for each in newly(unread_variables()):
        echo(f"gem: {each.cause}. {each.fix}", err=True)


def main() -> None:
    """Runs the command. Exit code 2: the user can fix the error; 1: GEM or a run failed."""
    keep_private()
    guard()
    try:
        app()
    except UserError as error:
        sys.exit(_say(f"gem: {error}", 2))
    except GemError as error:
        sys.exit(_say(f"gem: {error}", 1))
    except KeyboardInterrupt:
        sys.exit(_say("gem: interrupted; Airflow runs continue", 130))
    except Exception as error:  # noqa: BLE001 - a bug in GEM: print its traceback without secrets
        sys.exit(_say(shown_traceback(error), 1))


def _say(line: str, code: int) -> int:
    echo(line, err=True)
    return code
