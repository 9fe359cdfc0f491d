"""Options and ends that all commands of `gem eval` share."""

import json
import math
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

import typer
from pydantic import SecretStr, ValidationError

from gem_tasks.cli.evaluation_tables import score_table
from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.domain.base import Value
from gem_tasks.domain.evaluation import Endpoint, EvalReport
from gem_tasks.errors import GemError, UserError
from gem_tasks.evals.progress import Progress
from gem_tasks.evals.registry import find_model, record
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings

Options = TypeVar("Options", bound=Value)
BaseUrl = Annotated[str, typer.Option(help="OpenAI-compatible endpoint of the model, ending in /v1.")]
ModelName = Annotated[str, typer.Option("--model", help="Name of the model at the endpoint.")]
EndpointUrl = Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint of the model, ending in /v1.")]
Mode = Annotated[str, typer.Option(help="`native` tool calls, or calls in the text (`prompt`).")]
ModelId = Annotated[str | None, typer.Option(help="The model in `gem models list` that the result belongs to.")]
SubsetOption = Annotated[str, typer.Option(help="`full`, `smoke` (a few fixed cases), or a file with one id per line.")]
OutOption = Annotated[
    Path | None, typer.Option(help="Folder for the files of the harness; an unfinished run in it is continued.")
]
Thinking = Annotated[
    bool | None, typer.Option("--thinking/--no-thinking", help="Passed to the chat template of the server.")
]
Seed = Annotated[int | None, typer.Option(help="Sent with every request.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Concurrent cases.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Maximum tokens of an answer.")]
Temperature = Annotated[str, typer.Option(help="A number, or `server`: none is sent, and the server's own applies.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


def options_of(kind: type[Options], **values: Any) -> Options:
    """Options of a harness.

    Raises:
        UserError: a value is not allowed.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "options"
        raise UserError(
            f"{name}: {first['msg'].removeprefix('Value error, ')}", "See `--help` for the allowed values."
        ) from None


def temperature_of(value: str) -> float | None:
    """The number; None for `server`.

    Raises:
        UserError: it is neither.
    """
    if value == "server":
        return None
    with suppress(ValueError):
        if math.isfinite(number := float(value)) and number >= 0:
            return number
    raise UserError(f"{value!r} is not a temperature", "Give a number from 0, or `server`.")


def endpoint_of(base_url: str, model: str, key: SecretStr | None) -> Endpoint:
    """The endpoint that a command names.

    Raises:
        UserError: it is not an HTTP address, or the model has no name.
    """
    if not model.strip():
        raise UserError("The model has no name", "Give --model.")
    if not re.match(r"https?://[^\s@]+$", base_url):
        raise UserError(
            "--base-url is not an HTTP address", "Write http://host:port/v1; set the key in GEM_EVAL_API_KEY."
        )
    return Endpoint(base_url=base_url, model=model, api_key=key)


def tested_of(settings: Settings, model: str, base_url: str | None, policies: Sequence[str]) -> Endpoint | str:
    """The endpoint under test, or the name of a policy, which needs none.

    Raises:
        UserError: it is neither.
    """
    if base_url:
        return endpoint_of(base_url, model, settings.eval_api_key)
    if model in policies:
        return model
    if not model.strip():
        raise UserError("No model is named", f"Give --model with --base-url, or --model {', '.join(policies)}.")
    raise UserError(f"{model!r} has no endpoint", f"Give --base-url, or one of the models {', '.join(policies)}.")


def folder_of(settings: Settings, harness: str, model: str) -> Path:
    """A new folder in GEM_HOME for the files of a run."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", model).strip("-")[-60:]
    return settings.home.absolute() / "evals" / f"{harness}-{name}-{datetime.now(UTC):%Y%m%dT%H%M%S}"


@contextmanager
def telling_where(folder: Path, out: Path | None) -> Generator[None]:
    """Names the folder of a run that does not finish, if the user did not name it with `--out`: there it continues."""
    try:
        yield
    except (KeyboardInterrupt, GemError):
        if out is None and folder.is_dir():
            echo(f"gem: not finished; to continue, run it again with --out {folder}", err=True)
        raise


class Ends(NamedTuple):
    """Where a report goes."""

    model_id: str | None
    """The model in the lineage that it is about."""
    out: Path | None
    as_json: bool


def measured(
    settings: Settings, harness: str, model: str, ends: Ends, run: Callable[[Path, Progress], EvalReport]
) -> None:
    """Runs a harness in its folder with its progress shown, records the report and prints it."""
    folder = ends.out or folder_of(settings, harness, model)
    with telling_where(folder, ends.out), shown(ends.as_json) as progress:
        report = run(folder, progress)
    finish(settings, report, folder, ends.model_id, ends.as_json)


def known(settings: Settings, model_id: str | None) -> str | None:
    """The full id; checked first, because an evaluation takes hours."""
    if model_id is None:
        return None
    with Workspace.open(settings).ledger() as ledger:
        return find_model(ledger, model_id).model_id


def finish(settings: Settings, report: EvalReport, folder: Path, model_id: str | None, as_json: bool) -> None:
    """Records the report, if there is a database, and prints it."""
    recorded = settings.postgres_dsn is not None
    evaluation_id = record(Workspace.open(settings), report, folder, model_id) if recorded else None
    if as_json:
        found = report.model_dump(mode="json")
        echo_json(json.dumps({"evaluation_id": evaluation_id, "folder": str(folder), **found}, indent=1))
        return
    console = Terminal()
    score_table(console, report)
    kept = (
        f"Evaluation {evaluation_id}: gem eval show {evaluation_id}"
        if evaluation_id
        else "Not recorded: no database is configured"
    )
    console.print(f"{kept}\nFiles: {folder}", highlight=False)
