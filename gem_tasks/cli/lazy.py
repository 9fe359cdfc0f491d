"""A group that imports the module of a command when the command is needed: `gem status` loads no classifier."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class Command(NamedTuple):
    """A row of the table of commands."""

    panel: str
    """The heading in `gem --help` that the command stands under."""
    name: str
    target: str
    """`module:attribute` in `gem_tasks.cli`: a function, or a `typer.Typer`."""


class Commands(Mapping[str, Any]):
    """Commands by name; one is imported when it is looked up."""

    def __init__(self, table: tuple[Command, ...]) -> None:
        self._rows = {each.name: each for each in table}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        return loaded(self._rows[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def lazy_group(table: tuple[Command, ...]) -> type[TyperGroup]:
    """The class of a group with these commands."""

    class LazyGroup(TyperGroup):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.commands = Commands(table)  # pyright: ignore[reportAttributeAccessIssue] - none is added later

    return LazyGroup


def loaded(row: Command) -> TyperCommand | TyperGroup:
    """The command of a row, its module imported."""
    module, _, attribute = row.target.partition(":")
    target: typer.Typer | Callable[..., None] = getattr(import_module(f"gem_tasks.cli.{module}"), attribute)
    app = target
    if not isinstance(app, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command()(target)
    app.info.name = row.name
    made: Any = get_command(app)
    made.name, made.rich_help_panel = row.name, row.panel
    return made
