"""A progress bar on stderr."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from gem_tasks.cli.terminal import Terminal
from gem_tasks.evals.progress import Progress


@contextmanager
def shown(quiet: bool) -> Generator[Progress]:
    """A callback that draws a bar for each kind of work; without a terminal, it prints a line for each kind."""
    console = Terminal(stderr=True, quiet=quiet)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    bars: dict[str, int] = {}
    with Bars(*columns, console=console) as drawn:

        def say(what: str, done: int, total: int) -> None:
            if what not in bars:
                for earlier in bars.values():
                    drawn.stop_task(earlier)  # pyright: ignore[reportArgumentType]
                bars[what] = drawn.add_task(escape(what), total=total or None)
                if not console.is_terminal:
                    console.print(escape(what))
            drawn.update(bars[what], completed=done, total=total or None)  # pyright: ignore[reportArgumentType]

        yield say
        for bar in drawn.tasks:  # of an unknown total, which is known now
            drawn.update(bar.id, total=bar.completed if bar.total is None else bar.total)
