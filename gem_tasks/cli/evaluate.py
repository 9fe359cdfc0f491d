"""`gem eval install | bfcl | tau2 | tool-eval-bench | synthesizer`: runs a model through a harness."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from gem_tasks.cli import evaluate_calls, evaluate_worlds, evaluations
from gem_tasks.cli.evaluation_options import (
    BaseUrl,
    Concurrency,
    Ends,
    JsonOption,
    MaxTokens,
    Mode,
    ModelId,
    ModelName,
    OutOption,
    Seed,
    SubsetOption,
    Temperature,
    Thinking,
    endpoint_of,
    known,
    measured,
    options_of,
    temperature_of,
)
from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import echo
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import EvalReport
from gem_tasks.errors import UserError
from gem_tasks.evals import bfcl, environment, synthesizer, tau2, tool_eval_bench
from gem_tasks.evals.bfcl_parts import COLLECTIONS, MULTI_TURN, expanded, holding
from gem_tasks.evals.held_out import held_out, pipeline_yield
from gem_tasks.evals.options import (
    TOOL_EVAL_BENCH_CATEGORIES,
    BfclOptions,
    SynthesizerOptions,
    Tau2Options,
    ToolEvalBenchOptions,
)
from gem_tasks.evals.progress import Progress
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

evaluate = typer.Typer(
    help="Evaluates models in the official harnesses, and compares the results.",
    epilog="Keys are read from GEM_EVAL_API_KEY and GEM_EVAL_USER_API_KEY. Start with: --subset smoke",
    no_args_is_help=True,
    add_completion=False,
)
evaluate.add_typer(evaluate_worlds.app)
evaluate.add_typer(evaluate_calls.app)
evaluate.add_typer(evaluations.app)  # list, show, compare, board


@evaluate.command("install")
def install(
    name: Annotated[str, typer.Argument(help="bfcl, tau2 or tool-eval-bench")],
) -> None:
    """Installs the environment of a harness (bfcl 390 MB, tau2 570 MB, tool-eval-bench 30 MB), unless it is installed.

    Examples:
        gem eval install bfcl
        gem eval install tool-eval-bench
    """
    if name not in ("bfcl", "tau2", "tool-eval-bench"):
        raise UserError(f"There is no environment {name!r}", "Name bfcl, tau2 or tool-eval-bench.")
    with shown(quiet=False) as progress:
        python = environment.ensure(load().home, name, progress)
    echo(f"{name} is ready: {python}")


@evaluate.command("bfcl")
def run_bfcl(
    base_url: BaseUrl,
    model: ModelName,
    subset: SubsetOption = "full",
    category: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A category, or {', '.join(COLLECTIONS)}; repeatable. Default: {MULTI_TURN}, or as the cases need."
        ),
    ] = None,
    mode: Mode = "native",
    thinking: Thinking = None,
    seed: Seed = None,
    temperature: Temperature = "0.001",
    max_tokens: MaxTokens = None,
    concurrency: Concurrency = 16,
    model_id: ModelId = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Runs BFCL V4 with the official bfcl-eval: multi-turn (800 cases), or also single-turn, live and memory.

    Examples:
        gem eval bfcl --base-url http://127.0.0.1:8000/v1 --model qwen3-8b --subset smoke
        gem eval bfcl --base-url http://127.0.0.1:8000/v1 --model qwen3-8b --category all --out runs/base
    """
    cases = _subset(subset)
    options = options_of(
        BfclOptions,
        categories=expanded(category) if category else holding(cases.get("ids", ())),
        mode=mode,
        temperature=temperature_of(temperature),
        thinking=thinking,
        seed=seed,
        max_tokens=max_tokens,
        concurrency=concurrency,
        **cases,
    )
    settings = load()
    ends, endpoint = Ends(known(settings, model_id), out, as_json), endpoint_of(base_url, model, settings.eval_api_key)

    def run(folder: Path, progress: Progress) -> EvalReport:
        return bfcl.evaluate(endpoint, options, folder, home=settings.home, progress=progress, sandbox=settings.sandbox)

    measured(settings, "bfcl", model, ends, run)


@evaluate.command("tau2")
def run_tau2(
    base_url: BaseUrl,
    model: ModelName,
    user_model: Annotated[str, typer.Option(help="Model that plays the customer.")],
    user_base_url: Annotated[str | None, typer.Option(help="Endpoint of the user model. Default: --base-url.")] = None,
    subset: SubsetOption = "full",
    domain: Annotated[list[str] | None, typer.Option(help="airline, retail, telecom, banking; repeatable.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Tries per task, for Avg@k, pass^k and Pass@k.")] = 4,
    tasks: Annotated[
        str, typer.Option(help="`corrected` by upstream, or `original`: as inspect-evals has airline and retail.")
    ] = "corrected",
    task_file: Annotated[
        list[str] | None, typer.Option(help="DOMAIN=FILE: your tasks, in upstream's form; repeatable.")
    ] = None,
    temperature: Temperature = "0",
    user_temperature: Temperature = "0",
    thinking: Thinking = None,
    seed: Seed = None,
    max_tokens: MaxTokens = None,
    concurrency: Concurrency = 8,
    model_id: ModelId = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Runs τ²-bench with inspect-evals: airline (50 tasks) and retail (114), four tries each: Avg@4, pass^1 to pass^4.

    Examples:
        gem eval tau2 --base-url http://127.0.0.1:8000/v1 --model qwen3-8b --user-model qwen3-32b --subset smoke
        gem eval tau2 --base-url http://127.0.0.1:8000/v1 --model qwen3-8b --user-model gpt-4.1
            --user-base-url https://api.openai.com/v1
    """
    settings = load()
    ends = Ends(known(settings, model_id), out, as_json)
    # The endpoint of the user model gets the agent's key only if it is the same endpoint.
    shared = settings.eval_api_key if user_base_url in (None, base_url) else None
    user = endpoint_of(user_base_url or base_url, user_model, settings.eval_user_api_key or shared)
    options = options_of(
        Tau2Options,
        user=user,
        domains=tuple(domain or ("airline", "retail")),
        epochs=epochs,
        tasks=tasks,
        task_files=_task_files(task_file or ()),
        temperature=temperature_of(temperature),
        user_temperature=temperature_of(user_temperature),
        thinking=thinking,
        seed=seed,
        max_tokens=max_tokens,
        concurrency=concurrency,
        **_subset(subset),
    )
    endpoint = endpoint_of(base_url, model, settings.eval_api_key)

    def run(folder: Path, progress: Progress) -> EvalReport:
        return tau2.evaluate(endpoint, options, folder, home=settings.home, progress=progress, sandbox=settings.sandbox)

    measured(settings, "tau2", model, ends, run)


@evaluate.command("tool-eval-bench")
def run_tool_eval_bench(
    base_url: BaseUrl,
    model: ModelName,
    subset: SubsetOption = "full",
    category: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(TOOL_EVAL_BENCH_CATEGORIES)}; repeatable. Default: all.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Tries per scenario, for pass^k and pass@k.")] = 1,
    thinking: Thinking = None,
    seed: Seed = None,
    temperature: Temperature = "0",
    max_tokens: MaxTokens = None,
    concurrency: Concurrency = 16,
    model_id: ModelId = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Runs tool-eval-bench: 69 short conversations with mock tools, graded by code, in minutes.

    Examples:
        gem eval tool-eval-bench --base-url http://127.0.0.1:8000/v1 --model qwen3-8b
        gem eval tool-eval-bench --base-url http://127.0.0.1:8000/v1 --model qwen3-8b --epochs 4 --temperature server
    """
    options = options_of(
        ToolEvalBenchOptions,
        categories=tuple(category or TOOL_EVAL_BENCH_CATEGORIES),
        epochs=epochs,
        temperature=temperature_of(temperature),
        thinking=thinking,
        seed=seed,
        max_tokens=max_tokens,
        concurrency=concurrency,
        **_subset(subset),
    )
    settings = load()
    ends, endpoint = Ends(known(settings, model_id), out, as_json), endpoint_of(base_url, model, settings.eval_api_key)

    def run(folder: Path, progress: Progress) -> EvalReport:
        return tool_eval_bench.evaluate(
            endpoint, options, folder, home=settings.home, progress=progress, sandbox=settings.sandbox
        )

    measured(settings, "tool-eval-bench", model, ends, run)


@evaluate.command("synthesizer")
def run_synthesizer(
    base_url: BaseUrl,
    model: ModelName,
    source: Annotated[
        str, typer.Argument(metavar="TEXTS", help="Id of a set (its test split is used), or a partition.")
    ],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N texts.")] = None,
    temperature: Temperature = "0.7",
    max_tokens: Annotated[int, typer.Option(min=1, help="Maximum tokens of an answer.")] = 8192,
    concurrency: Concurrency = 32,
    model_id: ModelId = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tests a synthesizer, which makes a trajectory in one call: validity, diversity and cost, beside the pipeline.

    Examples:
        gem eval synthesizer 5f2c --base-url http://127.0.0.1:8000/v1 --model gem-synthesizer
        gem eval synthesizer 2026-01-31T14:00 --limit 50 --base-url http://127.0.0.1:8000/v1 --model gem-synthesizer
    """
    settings = load()
    ends, work = Ends(known(settings, model_id), out, as_json), Workspace.open(settings)
    segments = held_out(work, source)[:limit]
    options = options_of(
        SynthesizerOptions,
        prices=settings.llm_prices,
        concurrency=concurrency,
        temperature=temperature_of(temperature),
        max_tokens=max_tokens,
    )
    endpoint = endpoint_of(base_url, model, settings.eval_api_key)

    def run(folder: Path, progress: Progress) -> EvalReport:
        pipeline = pipeline_yield(work, segments)
        return synthesizer.evaluate(endpoint, options, folder, segments=segments, pipeline=pipeline, progress=progress)

    measured(settings, "synthesizer", model, ends, run)


def _task_files(given: Iterable[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for each in given:
        domain, _, path = each.partition("=")
        if not Path(path).is_file():
            raise UserError(f"--task-file {domain}: {path!r} is not a file", "Write DOMAIN=FILE: airline=tasks.json.")
        found[domain] = Path(path).absolute()
    return found


def _subset(value: str) -> Json:
    if value in ("smoke", "full"):
        return {"subset": value}
    path = Path(value)
    if not path.is_file():
        raise UserError(
            f"--subset: {value!r} is neither smoke nor full nor a file", "Give a file with one id per line."
        )
    ids = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    wanted = tuple(dict.fromkeys(each for each in ids if each and not each.startswith("#")))
    if not wanted:
        raise UserError(
            f"{value} names no case", "Write one id per line, such as multi_turn_base_0, airline/7 or TC-07."
        )
    return {"ids": wanted}
