"""`gem experiment`: the experiments of the paper, as configurations of one runner."""

from typing import Annotated

import typer
from rich.table import Column, Table

from gem_tasks.cli.follow_distill import follow
from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal, echo
from gem_tasks.distill import record, report
from gem_tasks.distill.experiment import experiments, options_of, plan
from gem_tasks.distill.run import run as run_here
from gem_tasks.domain.evaluation import HARNESSES
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

group = typer.Typer(help="Runs the experiments of the paper.", no_args_is_help=True, add_completion=False)


@group.command("list")
def list_() -> None:
    """Lists the experiments with their questions and arms."""
    table = Table(Column("experiment", no_wrap=True), "question", "arms")
    for name, found in experiments().items():
        table.add_row(name, found.question, ", ".join(arm.name for arm in found.arms))
    Terminal().print(table)


@group.command("run")
def run(
    name: Annotated[str, typer.Argument(help="Name from `gem experiment list`.")],
    profile: Annotated[str, typer.Option(help="Name from `gem distill profiles`.")] = "smoke",
    model: Annotated[str | None, typer.Option(help="Folder or Hub id of the base model.")] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Pattern of sources; repeatable. For cross-domain: first A, then B.")
    ] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Maximum number of trajectories.")] = None,
    harness: Annotated[list[str] | None, typer.Option(help=f"{', '.join(HARNESSES)}; repeatable.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Run all cases instead of the smoke subset.")] = False,
    bfcl_id: Annotated[list[str] | None, typer.Option(help="Only this BFCL case; repeatable.")] = None,
    tau2_id: Annotated[list[str] | None, typer.Option(help="Only this τ² case; repeatable.")] = None,
    tool_eval_bench_id: Annotated[
        list[str] | None, typer.Option(help="Only this tool-eval-bench scenario; repeatable.")
    ] = None,
    texts: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of held-out texts for a synthesizer.")
    ] = None,
    tasks: Annotated[int | None, typer.Option(min=1, help="Maximum number of held-out tasks in worlds.")] = None,
    turns: Annotated[int | None, typer.Option(min=1, help="Maximum number of turns of held-out conversations.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Maximum tokens of an answer.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Tries per τ² case and task in a world. Default: 4.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of splits, selection and training.")] = 0,
    local: Annotated[bool, typer.Option("--local", help="Run in this process, without Airflow.")] = False,
) -> None:
    """Runs an experiment and writes its report.

    Examples:
        gem experiment run refinement-ablation --profile smoke
        gem experiment run cost-benefit --profile qwen3-8b-synthesizer
        gem experiment run cross-domain --source '18F*' --source 'MicrosoftDocs/*'
    """
    options = options_of(
        {
            "experiment": name,
            "profile": profile,
            "model": model,
            "sources": source,
            "size": size,
            "harnesses": harness,
            "subset": "full" if full else "smoke",
            "bfcl_ids": bfcl_id,
            "tau2_ids": tau2_id,
            "tool_eval_bench_ids": tool_eval_bench_id,
            "texts": texts,
            "max_tokens": max_tokens,
            "epochs": epochs,
            "tasks": tasks,
            "turns": turns,
            "seed": seed,
        }
    )
    settings = load()
    planned = plan(options, folder=settings.profiles)
    if not local:
        follow(settings, options)
        return
    with shown(quiet=False) as say:
        where = run_here(Workspace.open(settings), planned, say)
    echo(f"Report: {where}")


@group.command("report")
def again(
    plan_id: Annotated[str, typer.Argument(help="Id of the run, as in its report.")],
) -> None:
    """Writes the report of a run again, from its results so far.

    Examples:
        gem experiment report distill-smoke-20261125T220000
    """
    work = Workspace.open(load())
    planned = record.find_plan(work, plan_id)
    echo(report.write(work, planned, *record.so_far(work, planned))[0])
