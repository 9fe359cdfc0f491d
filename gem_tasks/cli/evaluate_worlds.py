"""`gem eval worlds`: a benchmark from the user's own documents."""

from pathlib import Path
from typing import Annotated

import typer

from gem_tasks.cli.evaluation_options import (
    Concurrency,
    EndpointUrl,
    Ends,
    JsonOption,
    Mode,
    ModelId,
    OutOption,
    Temperature,
    Thinking,
    endpoint_of,
    known,
    measured,
    options_of,
    temperature_of,
    tested_of,
)
from gem_tasks.domain.evaluation import Endpoint, EvalReport
from gem_tasks.errors import UserError
from gem_tasks.evals.held_out import places_of
from gem_tasks.evals.options import WorldsOptions
from gem_tasks.evals.progress import Progress
from gem_tasks.evals.registry import find_model
from gem_tasks.evals.worlds.cases import Case, cases_of
from gem_tasks.evals.worlds.contamination import untrained
from gem_tasks.evals.worlds.exported import exported
from gem_tasks.evals.worlds.policies import POLICIES
from gem_tasks.evals.worlds.run import evaluate
from gem_tasks.evals.worlds.stored import stored
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings, load
from gem_tasks.simulate.scene import Caps

app = typer.Typer(add_completion=False)


@app.command("worlds")
def run_worlds(
    model: Annotated[str, typer.Option("--model", help="Name of the model at the endpoint; or oracle, or apology.")],
    base_url: EndpointUrl = None,
    texts: Annotated[
        str | None,
        typer.Argument(metavar="[TEXTS]", help="Id of a set (its test split is used), or a partition."),
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Exported worlds with tasks: a file, or a folder with worlds/*.json.")
    ] = None,
    user_model: Annotated[str | None, typer.Option(help="Model that plays the user. Default: --model.")] = None,
    user_base_url: Annotated[str | None, typer.Option(help="Endpoint of the user model. Default: --base-url.")] = None,
    tries: Annotated[int, typer.Option("--tries", "-k", min=1, help="Tries per variant, for pass^1 to pass^k.")] = 4,
    tasks: Annotated[int | None, typer.Option(min=1, help="Only the first N tasks.")] = None,
    mode: Mode = "native",
    thinking: Thinking = None,
    temperature: Temperature = "server",
    max_tokens: Annotated[int, typer.Option(min=1, help="Maximum tokens of a message.")] = 4096,
    seed: Annotated[int, typer.Option(help="Seed of the worlds in the first try.")] = 0,
    max_calls: Annotated[int, typer.Option(min=1, help="Most calls of a conversation.")] = Caps().calls,
    max_turns: Annotated[int, typer.Option(min=1, help="Most messages of the user.")] = Caps().turns,
    concurrency: Concurrency = 8,
    model_id: ModelId = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lets a model do tasks in worlds made from your documents, with a simulated user; pass^1 to pass^k by goal.

    Without --base-url, --model oracle replays the references (100 %), and --model apology only apologises (0 %).

    Examples:
        gem eval worlds 5f2c --base-url http://127.0.0.1:8000/v1 --model qwen3-8b --user-model qwen3-32b
        gem eval worlds --from exported --model oracle
        gem eval worlds --from exported --base-url http://127.0.0.1:8000/v1 --model qwen3-8b -k 8 --tasks 20 --out run
    """
    settings = load()
    owner = known(settings, model_id)
    cases, left_out = _cases(settings, texts, source, tasks, owner)
    tested = tested_of(settings, model, base_url, POLICIES)
    options = options_of(
        WorldsOptions,
        user=_user(settings, tested, user_model, user_base_url),
        tries=tries,
        mode=mode,
        temperature=temperature_of(temperature),
        thinking=thinking,
        max_tokens=max_tokens,
        seed=seed,
        caps=Caps(calls=max_calls, turns=max_turns),
        concurrency=concurrency,
    )

    def run(folder: Path, progress: Progress) -> EvalReport:
        return evaluate(tested, cases, options, folder, left_out=left_out, sandbox=settings.sandbox, progress=progress)

    measured(settings, "worlds", model, Ends(owner, out, as_json), run)


def _cases(
    settings: Settings, texts: str | None, source: Path | None, tasks: int | None, model_id: str | None
) -> tuple[list[Case], dict[str, str]]:
    """What is played, and why other cases are not."""
    if (texts is None) == (source is None):
        raise UserError("Name the tasks once", "Give the id of a set, a partition, or --from with exported worlds.")
    work = Workspace.open(settings) if texts or model_id else None
    shelves = exported(source) if source else stored(work, places_of(work, texts)) if work and texts else []
    if not any(shelf.tasks for shelf in shelves):
        raise UserError(f"{source or texts} has no tasks in worlds", "Turn on GEM_WORLDS and run the pipeline.")
    cases = cases_of(shelves, tasks)
    if model_id is None or work is None:
        return cases, {}
    with work.ledger() as ledger:
        return untrained(ledger, find_model(ledger, model_id), cases)


def _user(settings: Settings, tested: Endpoint | str, model: str | None, base_url: str | None) -> Endpoint | None:
    """None: the model under test. Its key goes to no other endpoint."""
    if isinstance(tested, str):
        if model or base_url:
            raise UserError(f"{tested} meets a scripted user", "Leave out --user-model and --user-base-url.")
        return None
    if model is None and base_url is None:
        return None
    shared = settings.eval_api_key if base_url in (None, tested.base_url) else None
    return endpoint_of(base_url or tested.base_url, model or tested.model, settings.eval_user_api_key or shared)
