"""The only way from a command to a terminal: text of documents, models, endpoints and file names is hostile.

    Terminal().print(…)      tables, markup, colours, as rich's console
    echo(line)               a line as it is
    echo_json(text)          JSON, for programs; it stays the same JSON
    echo_exact(text)         a text to be piped into a file, changed only where a terminal would obey it

All show escapes for what would act on a terminal, and take the secrets in force out; a test keeps commands from using
anything else.
"""

import sys
from collections.abc import Iterable
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.errors import MarkupError
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from typer import rich_utils

from gem_tasks.redaction import clean
from gem_tasks.redaction.outlets import guard_logs
from gem_tasks.visible import visible_json, visible_lines


def safe(text: str) -> str:
    """Without secrets, with escapes for what would act."""
    return visible_lines(clean(text))


class Terminal(Console):
    """rich's console, with every text made safe: before it is laid out, and once more when it is drawn."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Markup of ours; what turns out to be none, because a text of others was not escaped, is shown as it is."""
        try:
            return super().render_str(safe(text), **options)
        except MarkupError:
            plain: dict[str, Any] = {**options, "markup": False}
            return super().render_str(safe(text), **plain)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Texts that were made elsewhere, too; links are shown, never made, for they hide where they lead."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible_lines(segment.text), _unlinked(segment.style))


def echo(text: object = "", *, err: bool = False) -> None:
    """A line, or several."""
    typer.echo(safe(str(text)), err=err)


def echo_json(text: str, *, nl: bool = True) -> None:
    """JSON."""
    typer.echo(visible_json(clean(text)), nl=nl)


def echo_exact(text: str) -> None:
    """A text that ends where it ends; without escapes when it goes into a file or another program."""
    found = clean(text)
    typer.echo(visible_lines(found) if sys.stdout.isatty() else found, nl=not found.endswith("\n"))


def ask(question: str, **options: Any) -> str:
    """A line from the person at the terminal."""
    return typer.prompt(safe(question), **options)


def confirm(question: str) -> None:
    """Ends the command unless the person says yes."""
    typer.confirm(safe(question), abort=True)


def guard() -> None:
    """What is not printed by commands: usage errors, which repeat arguments, and logs."""
    rich_utils.Console = Terminal  # pyright: ignore[reportPrivateImportUsage]
    guard_logs()


def echo_login(line: str) -> None:
    """A line with a password that was asked for: the login that `gem up` made, on this machine's terminal."""
    typer.echo(visible_lines(line))


def _unlinked(style: Style | None) -> Style | None:
    return style.update_link(None) if style and style.link else style
