"""`gem edit`: a trajectory in the user's editor, or from a file, with the checks at once."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gem_tasks.cli.changes import AuthorOption, JsonOption, by, say_change
from gem_tasks.cli.terminal import Terminal, echo, echo_exact
from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.trajectory import Message
from gem_tasks.edits.form import as_form, difference
from gem_tasks.edits.make import Edited, FaultyEditError, edit, placed
from gem_tasks.edits.reading import MOST_CHARACTERS, read_conversation
from gem_tasks.edits.subject import Subject, load
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load as load_settings

_NOTES = (
    "system, user and assistant messages have text as `content`; an assistant's calls have `arguments` as fields.",
    "A tool's message answers the call named by its `tool_call_id`.",
)


def edit_trajectory(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A trajectory id, or its first characters.")],
    file: Annotated[
        Path | None,
        typer.Option(help="Take the messages from this YAML or JSON file instead of an editor; - reads from a pipe."),
    ] = None,
    why: Annotated[str, typer.Option(help="The reason of the edit.")] = "",
    keep: Annotated[
        str, typer.Option("--keep-anyway", metavar="REASON", help="Keep the edit in spite of errors; says why.")
    ] = "",
    revision: Annotated[
        str | None, typer.Option(help="Refuse if the trajectory is no longer this revision (see --print).")
    ] = None,
    prints: Annotated[bool, typer.Option("--print", help="Print the messages for --file, and change nothing.")] = False,
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Edits the messages of a trajectory in $VISUAL or $EDITOR. The checks run at once.

    Errors that the edit brings in refuse it, unless you say why to keep it. The edit is a new version: the next dataset
    version of its partition has it (gem changes publish), and gem changes undo takes it back.

    Examples:
        gem edit 3f9a1c --why "the date was wrong"
        gem edit 3f9a1c --print > talk.yaml && gem edit 3f9a1c --file talk.yaml --json
        gem edit 3f9a1c --keep-anyway "the second call has to fail"
    """
    work = Workspace.open(load_settings())
    subject = load(work, id_)
    if prints:
        echo_exact(as_form(subject.shown.messages, _title(subject)))
        return
    text = _from(file) if file else _edited(subject)
    messages = _read(text, file)
    wanted = revision or (None if file else subject.revision)
    try:
        made = edit(work, subject.item.trajectory_id, messages, by(author), revision=wanted, why=why, keep=keep)
    except UserError as error:
        if isinstance(error, FaultyEditError):
            _say_findings(error.errors)
            error = UserError(
                f"The checks find {len(error.errors)} {'error' if len(error.errors) == 1 else 'errors'} in the edit",
                'Correct them, or give --keep-anyway "REASON"',
            )
        raise _with_text_kept(error, None if file else text.encode()) from None
    except Exception:
        if not file:
            echo(f"Your text is in {_kept(text.encode())}: give it as --file.", err=True)
        raise
    _say(subject, made, as_json)


def _title(subject: Subject) -> str:
    return f"Trajectory {subject.item.trajectory_id}, revision {subject.revision}"


def _from(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", "Give a YAML or JSON file.") from None
    if len(data) > 4 * MOST_CHARACTERS:
        raise UserError(f"{file} has more than {MOST_CHARACTERS:,} characters", "Shorten it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{file} is not UTF-8", "Save it as UTF-8.") from None


def _edited(subject: Subject) -> str:
    """The text that the user leaves in the editor."""
    before = as_form(subject.shown.messages, _title(subject), _NOTES)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="gem-edit-") as folder:
        path = Path(folder) / f"{subject.item.trajectory_id}.yaml"
        path.write_text(before, encoding="utf-8")
        try:
            with _interrupts_left_to_it():
                done = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603  the user's own
        except (OSError, ValueError) as error:
            raise UserError(f"The editor {editor!r} cannot be started: {error}", "Set EDITOR, or use --file.") from None
        try:
            if done.returncode:
                raise UserError(f"The editor exited with {done.returncode}", "Nothing was changed.")
            after = _from(path)
        except UserError as error:
            saved = path.read_bytes() if path.is_file() else b""
            raise _with_text_kept(error, saved if saved not in (b"", before.encode()) else None) from None
    if after == before:
        raise UserError("You changed nothing", "Nothing was recorded.")
    return after


@contextmanager
def _interrupts_left_to_it() -> Generator[None]:
    """Ctrl-C, or Emacs' C-g, is the editor's; it must not end GEM, which would kill the editor and remove its file."""
    before = signal.signal(signal.SIGINT, _ignored)  # unlike SIG_IGN, the editor does not inherit it
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ignored(*_: object) -> None:
    pass


def _read(text: str, file: Path | None) -> tuple[Message, ...]:
    try:
        return read_conversation(text)
    except UserError as error:
        raise _with_text_kept(error, None if file else text.encode()) from None


def _with_text_kept(error: UserError, text: bytes | None) -> UserError:
    """Nothing that the user wrote in an editor is lost: it is left in a file."""
    if text is None:
        return error
    fix = f"{error.fix.rstrip('.')}. Your text is in {_kept(text)}: correct it and give it as --file."
    return UserError(error.cause, fix)


def _kept(text: bytes) -> str:
    number, name = tempfile.mkstemp(prefix="gem-edit-", suffix=".yaml")
    with open(number, "wb") as file:  # noqa: PTH123  an open descriptor
        file.write(text)
    return name


def _say(subject: Subject, made: Edited, as_json: bool) -> None:
    if as_json:
        say_change(made.change, as_json=True)
        return
    console = Terminal(highlight=False)
    for line in difference(subject.shown.messages, _after(subject, made)):
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
        console.print(f"[{colour}]{escape(line)}[/]")
    _say_findings((*made.checked.errors, *made.checked.others))
    say_change(made.change)


def _after(subject: Subject, made: Edited) -> Sequence[Message]:
    """The messages of a recorded edit."""
    return subject.holds.model_copy(update={"edit": made.change}).applied(subject.accepted).messages


def _say_findings(findings: Sequence[Finding]) -> None:
    console = Terminal(stderr=True, highlight=False)
    for each in findings:
        colour = "red" if each.severity is Severity.ERROR else "yellow"
        console.print(f"[{colour}]{each.severity}[/] {escape(placed(each))}")
