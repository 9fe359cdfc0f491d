"""The only way from a command to a terminal, because texts of documents, models, endpoints and files may be hostile.

    Terminal().print(…)      tables, markup, colours, as rich's console
    echo(line)               a line as it is
    echo_json(text)          JSON, for programs; it stays the same JSON
    echo_exact(text)         a text to be piped into a file, escaped only if a terminal would obey it

All replace control characters by visible escapes and remove known secrets; a test keeps commands from using anything
else.
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
    """The text without secrets and with visible escapes for control characters."""
    return visible_lines(clean(text))


class Terminal(Console):
    """rich's console, with every text made safe: before it is laid out, and once more when it is drawn."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Renders markup; a text that is not valid markup, because it was not escaped, is shown as plain text."""
        try:
            return super().render_str(safe(text), **options)
        except MarkupError:
            plain: dict[str, Any] = {**options, "markup": False}
            return super().render_str(safe(text), **plain)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Also covers texts rendered elsewhere; links lose their target, which would be hidden."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible_lines(segment.text), _unlinked(segment.style))


def echo(text: object = "", *, err: bool = False) -> None:
    """Prints one or more lines."""
    typer.echo(safe(str(text)), err=err)


def echo_json(text: str, *, nl: bool = True) -> None:
    """Prints JSON."""
    typer.echo(visible_json(clean(text)), nl=nl)


def echo_exact(text: str) -> None:
    """Prints a text without adding a newline; without escapes if the output is a file or a pipe."""
    found = clean(text)
    typer.echo(visible_lines(found) if sys.stdout.isatty() else found, nl=not found.endswith("\n"))


def ask(question: str, **options: Any) -> str:
    """Asks the user for a line."""
    return typer.prompt(safe(question), **options)


def confirm(question: str) -> None:
    """Ends the command unless the user confirms."""
    typer.confirm(safe(question), abort=True)


def guard() -> None:
    """Protects other output: usage errors, which repeat arguments, and logs."""
    rich_utils.Console = Terminal  # pyright: ignore[reportPrivateImportUsage]
    guard_logs()


def echo_login(line: str) -> None:
    """Prints the login that `gem up` made, the only line that may show a password."""
    typer.echo(visible_lines(line))


def _unlinked(style: Style | None) -> Style | None:
    return style.update_link(None) if style and style.link else style
