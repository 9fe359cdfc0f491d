"""Progress of long work in a terminal: a spinner that says what is being done; plain lines where there is none."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from gem_tasks.evals.progress import Progress


@contextmanager
def telling() -> Generator[Progress]:
    """A progress callback that writes to standard error."""
    console = Console(stderr=True)
    with console.status("…") as status:
        last = ""

        def say(what: str, done: int, total: int) -> None:
            nonlocal last
            line = f"{what} {done}/{total}" if total else what
            status.update(escape(line))
            head = what.split(":")[0]
            if head != last and not console.is_terminal:
                console.print(escape(line), soft_wrap=True)
            last = head

        yield say
