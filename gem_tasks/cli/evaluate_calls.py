"""`gem eval calls`: next-action accuracy on held-out conversations."""

from collections.abc import Generator
from contextlib import contextmanager
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
    Seed,
    Temperature,
    Thinking,
    known,
    measured,
    options_of,
    temperature_of,
    tested_of,
)
from gem_tasks.dataset.export import published
from gem_tasks.distill import serve, sets
from gem_tasks.distill.serve import ServeOptions
from gem_tasks.domain.distill import Model, Split
from gem_tasks.domain.evaluation import Endpoint, EvalReport
from gem_tasks.errors import UserError
from gem_tasks.evals.calls.conversations import Conversation, LeftOut, in_files, read_conversations
from gem_tasks.evals.calls.policies import POLICIES
from gem_tasks.evals.calls.run import evaluate
from gem_tasks.evals.contamination import untrained
from gem_tasks.evals.options import CallsOptions
from gem_tasks.evals.progress import Progress
from gem_tasks.evals.registry import find_model
from gem_tasks.lint.files import Line
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings, load

app = typer.Typer(add_completion=False)


@app.command("calls")
def run_calls(
    on: Annotated[
        str,
        typer.Option(
            "--on", help="Id of a set (its test split is used), a partition, or a file or folder of conversations."
        ),
    ],
    model: Annotated[
        str | None, typer.Option("--model", help="Name of the model at the endpoint; or oracle, apology, constant.")
    ] = None,
    base_url: EndpointUrl = None,
    weights: Annotated[
        Path | None, typer.Option(help="Serve the model in this folder during the run, instead of an endpoint.")
    ] = None,
    split: Annotated[Split, typer.Option(help="Of a set. Only `test` is held out of training.")] = "test",
    turns: Annotated[int | None, typer.Option(min=1, help="Up to N turns, spread over all conversations.")] = None,
    mode: Mode = "native",
    thinking: Thinking = None,
    temperature: Temperature = "0",
    max_tokens: Annotated[int, typer.Option(min=1, help="Maximum tokens of a turn.")] = 1024,
    max_context: Annotated[
        int, typer.Option(min=1, help="Leave out turns with more tokens before them, as estimated.")
    ] = 100_000,
    seed: Seed = None,
    concurrency: Concurrency = 16,
    model_id: ModelId = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Asks a model for each turn of held-out conversations, given everything before, and compares what it does.

    Call or speak, which functions, which arguments (exactly, and as the schema means them), in parallel or not. Without
    --base-url, --model oracle answers like the reference (100 %), apology and constant always do the same (0 %).

    Examples:
        gem eval calls --on 5f2c --base-url http://127.0.0.1:8000/v1 --model qwen3-8b
        gem eval calls --on held-out.jsonl --base-url http://127.0.0.1:8000/v1 --model smollm2 --mode prompt --turns 200
        gem eval calls --on held-out.jsonl --weights models/smollm2 --mode prompt --max-context 4000
        gem eval calls --on held-out.jsonl --model oracle
    """
    settings = load()
    owner, name = known(settings, model_id), model or (weights.resolve().name if weights else "")
    options = options_of(
        CallsOptions,
        turns=turns,
        mode=mode,
        temperature=temperature_of(temperature),
        thinking=thinking,
        max_tokens=max_tokens,
        max_context=max_context,
        seed=seed,
        concurrency=concurrency,
    )
    left_out = LeftOut()
    conversations = _conversations(settings, on, split, owner, left_out)

    def run(folder: Path, progress: Progress) -> EvalReport:
        with _tested(settings, name, base_url, weights, progress) as tested:
            return evaluate(tested, conversations, options, folder, left_out=left_out, name=name, progress=progress)

    measured(settings, "calls", name, Ends(owner, out, as_json), run)


@contextmanager
def _tested(
    settings: Settings, model: str, base_url: str | None, weights: Path | None, progress: Progress
) -> Generator[Endpoint | str]:
    """The endpoint or policy under test; local weights are served for as long as the block runs."""
    if weights is None:
        yield tested_of(settings, model, base_url, POLICIES)
        return
    if base_url:
        raise UserError("--weights and --base-url name two models", "Give one of them.")
    own = {"model_id": "local", "name": model, "base": str(weights), "location": str(weights.resolve())}
    found = Model.model_validate({**own, "profile": "", "profile_sha256": "", "set_id": None})
    served = serve.start(Workspace.open(settings), found, ServeOptions(), progress)
    try:
        with serve.renewing(served):
            yield served.endpoint
    finally:
        serve.stop(served)


def _conversations(
    settings: Settings, on: str, split: Split, model_id: str | None, left_out: LeftOut
) -> list[Conversation]:
    """What the model was not trained on, if `model_id` is known."""
    if not on.strip():
        raise UserError("--on names nothing", "Name a set of `gem distill sets`, a partition, or a file.")
    found = in_files([on], left_out) if _is_path(on) else _stored(Workspace.open(settings), on, split, left_out)
    if model_id is None:
        return found
    with Workspace.open(settings).ledger() as ledger:
        documents = {each.name: each.document for each in found}
        kept, others = untrained(ledger, find_model(ledger, model_id), documents)
    for name, why in others.items():
        left_out.add("trained_on", name, why)
    return [each for each in found if each.name in kept]


def _is_path(on: str) -> bool:
    return (
        on.startswith("hf://") or "/" in on or Path(on).exists() or Path(on).suffix in (".jsonl", ".json", ".parquet")
    )


def _stored(work: Workspace, on: str, split: Split, left_out: LeftOut) -> list[Conversation]:
    """The conversations of a set's split, or the published ones of a partition."""
    with work.ledger() as ledger:
        several = ledger.distill.find_sets(on, limit=2) if on else []
    if len(several) == 1:
        rows = (Line(row["trajectory_id"], dict(row)) for row in sets.read(work, several[0], split))
    else:
        rows = (Line(row["metadata"]["trajectory_id"], row) for row in published(work, on))
    found = read_conversations(rows, left_out)
    if not found:
        raise UserError(
            f"{on!r} has no held-out conversations", "Name a set of `gem distill sets`, a partition, or a file."
        )
    return found
