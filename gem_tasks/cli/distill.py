"""`gem distill`: training sets, training, and the complete run through Airflow."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from gem_tasks.cli.follow_distill import follow
from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.distill import formats, profiles, sets
from gem_tasks.distill.experiment import options_of, require_whole
from gem_tasks.distill.files import write_set
from gem_tasks.distill.imported import import_files
from gem_tasks.distill.markdown import as_number
from gem_tasks.distill.train import require_machine
from gem_tasks.distill.train import train as train_model
from gem_tasks.domain.distill import SetSpec, SftSet
from gem_tasks.domain.evaluation import HARNESSES
from gem_tasks.errors import UserError
from gem_tasks.evals import environment
from gem_tasks.evals.calls.conversations import LeftOut
from gem_tasks.evals.environment import EnvironmentName
from gem_tasks.files import for_others
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

group = typer.Typer(
    help="Builds training sets, trains models and scores them.", no_args_is_help=True, add_completion=False
)
_NAMES: tuple[EnvironmentName, ...] = ("train", "bfcl", "tau2", "tool-eval-bench")

Kind = Annotated[str, typer.Option(help="`agent`: the conversations. `synthesizer`: text to tools and conversation.")]
Size = Annotated[int | None, typer.Option(min=1, help="Maximum number of trajectories.")]
Source = Annotated[
    list[str] | None, typer.Option(help="Only sources or addresses that match this pattern; repeatable.")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same split and set.")]
Imported = Annotated[str | None, typer.Option("--set", help="Set that `gem distill import` made, to train on it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


@group.command("sets")
def build_sets(
    kind: Annotated[str | None, typer.Option(help="Build a set: `agent` or `synthesizer`. Default: list sets.")] = None,
    refined: Annotated[bool, typer.Option("--refined/--unrefined", help="Use refined trajectories, or drafts.")] = True,
    judged: Annotated[
        bool, typer.Option("--judged/--not-judged", help="Exclude, or include, what the judge rejected.")
    ] = True,
    audited: Annotated[bool, typer.Option("--audited", help="Only versions that passed an audit.")] = False,
    source: Source = None,
    size: Size = None,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="Also write the set as files to this folder.")] = None,
    format_: Annotated[
        str, typer.Option("--format", help=f"Format of the files: {', '.join(formats.FORMATS)}.")
    ] = "trl",
    as_json: AsJson = False,
) -> None:
    """Builds a training set from the published trajectories, or lists the sets.

    No document is in two splits. With the same seed, drafts and refined trajectories have the same splits.

    Examples:
        gem distill sets
        gem distill sets --kind agent --size 1000
        gem distill sets --kind synthesizer --unrefined --out data --format sharegpt
    """
    work = Workspace.open(load())
    if kind is None:
        with work.ledger() as ledger:
            _print_sets(ledger.distill.find_sets(), as_json)
        return
    found = sets.build(work, _spec(kind, refined, judged, audited, source, size, seed))
    if out:
        with for_others():
            files = list(write_set(work, found, format_, out))
        for each in files:
            left = f", {each.left_out} left out (the format cannot express them)" if each.left_out else ""
            echo(f"{each.rows} rows in {each.path}{left}", err=True)
    _print_sets([found], as_json)


@group.command("import")
def import_set(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files or folders of conversations.")],
    validation_share: Annotated[float, typer.Option(min=0, max=0.9, help="Share of documents to validate on.")] = 0.05,
    test_share: Annotated[float, typer.Option(min=0, max=0.9, help="Share of documents to hold out.")] = 0.10,
    size: Size = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Makes a training set for agents of conversations that you bring, in any format that `gem check` reads.

    Rows with the same `document` are in one split. GEM leaves out unreadable and equal conversations and benchmark
    items, and says how many; it changes nothing in the others, so check them first: gem check FILE

    Examples:
        gem distill import reviewed.jsonl
        gem distill import reviewed.jsonl --test-share 0
    """
    spec = SetSpec(kind="agent", seed=seed, size=size, validation_share=validation_share, test_share=test_share)
    left_out = LeftOut()
    found = import_files(Workspace.open(load()), files, spec, left_out)
    for reason, what in left_out.plain().items():
        echo(f"Left out: {reason} {what['count']}, for example {'; '.join(what['examples'])}", err=True)
    _print_sets([found], as_json)
    if not as_json:
        echo(f"Train on it with: gem distill train --profile PROFILE --set {found.set_id}")


@group.command("profiles")
def list_profiles() -> None:
    """Lists the training profiles that come with GEM."""
    table = Table(Column("profile", no_wrap=True), "kind", "base", "set", "method")
    for name in profiles.names():
        found = profiles.load(name)
        how = "LoRA" if found.lora else "all weights"
        asked = ", ".join(f"{key}={value}" for key, value in found.set.items())
        table.add_row(name, found.kind, found.base, asked, f"{how}, {found.launch or 'one process'}")
    Terminal().print(table)


@group.command("envs")
def install(
    name: Annotated[list[str] | None, typer.Argument(help=f"One of {', '.join(_NAMES)}; default: all.")] = None,
) -> None:
    """Installs the environments for training and harnesses now instead of at first use.

    PyTorch is installed by hash, with CUDA. On a machine without a GPU, setting PIP_EXTRA_INDEX_URL to PyTorch's CPU
    index and GEM_TORCH_LOCK to none saves about 5 GB, but no hash is checked.

    Examples:
        gem distill envs
        gem distill envs train
    """
    home = load().home
    for each in name or _NAMES:
        if each not in _NAMES:
            raise UserError(f"There is no environment {each!r}", f"Choose one of: {', '.join(_NAMES)}.")
        with shown(quiet=False) as say:
            python = environment.ensure(home, each, say)
        echo(f"{each}: {python}")


@group.command("train")
def train(
    profile: Annotated[str, typer.Option(help="Name from `gem distill profiles`, or a YAML file.")] = "smoke",
    model: Annotated[
        str | None, typer.Option(help="Folder or Hub id of the base model, instead of the profile's.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="`agent` or `synthesizer`, instead of the profile's.")] = None,
    unrefined: Annotated[bool, typer.Option("--unrefined", help="Train on drafts.")] = False,
    set_id: Imported = None,
    source: Source = None,
    size: Size = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Trains in this terminal. The same command continues an interrupted training, or shows the finished model.

    Examples:
        gem distill train --profile smoke
        gem distill train --profile qwen3-8b-agent --model ~/weights/Qwen3-8B
        gem distill train --profile smollm2-135m --set 5f2c
    """
    work = Workspace.open(load())
    base = {"path": model, "scratch": None} if model else None
    chosen = profiles.load(profile, work.settings.profiles, kind=kind, model=base, seed=seed)
    require_machine(chosen)
    sources = tuple(source) if source else None
    if set_id:
        require_whole(size, sources, unrefined)
    spec = chosen.spec(size=size, refined=False if unrefined else None, imported=set_id, sources=sources)
    with shown(quiet=as_json) as say:
        found = train_model(work, chosen, sets.build(work, spec), progress=say)
    if as_json:
        echo_json(found.model_dump_json(indent=1))
        return
    seen = found.metrics
    loss = as_number(seen.get("loss"), 3)
    echo(f"Model {found.model_id} ({found.name}) in {found.location}")
    echo(f"{seen['steps']} steps over {seen['rows']} rows, loss {loss}, {seen['seconds']:.0f} s")


@group.command("run")
def run(
    profile: Annotated[str, typer.Option(help="Name from `gem distill profiles`.")] = "smoke",
    experiment: Annotated[str, typer.Option(help="Name from `gem experiment list`.")] = "distill",
    model: Annotated[str | None, typer.Option(help="Folder or Hub id of the base model.")] = None,
    harness: Annotated[list[str] | None, typer.Option(help=f"{', '.join(HARNESSES)}; repeatable.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Run all cases instead of the smoke subset.")] = False,
    bfcl_id: Annotated[list[str] | None, typer.Option(help="Only this BFCL case; repeatable.")] = None,
    tau2_id: Annotated[list[str] | None, typer.Option(help="Only this τ² case, such as airline/8; repeatable.")] = None,
    tool_eval_bench_id: Annotated[
        list[str] | None, typer.Option(help="Only this tool-eval-bench scenario, such as TC-07; repeatable.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Tries per τ² case and task in a world. Default: 4.")
    ] = None,
    tasks: Annotated[int | None, typer.Option(min=1, help="Maximum number of held-out tasks in worlds.")] = None,
    turns: Annotated[int | None, typer.Option(min=1, help="Maximum number of turns of held-out conversations.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Maximum tokens of an answer.")] = None,
    set_id: Imported = None,
    source: Source = None,
    size: Size = None,
    seed: Seed = 0,
    endpoint_url: Annotated[str | None, typer.Option(help="Evaluate this server instead of training.")] = None,
    endpoint_model: Annotated[str | None, typer.Option(help="Name of the model at that server.")] = None,
) -> None:
    """Runs sets, training, serving, scores and report through Airflow (DAG gem_distill) and follows them to the end.

    Examples:
        gem distill run
        gem distill run --profile qwen3-8b-agent --full
        gem distill run --endpoint-url https://host/v1 --endpoint-model name --full
    """
    options = {
        "profile": profile,
        "experiment": experiment,
        "model": model,
        "harnesses": harness,
        "subset": "full" if full else "smoke",
        "bfcl_ids": bfcl_id,
        "tau2_ids": tau2_id,
        "tool_eval_bench_ids": tool_eval_bench_id,
        "epochs": epochs,
        "tasks": tasks,
        "turns": turns,
        "max_tokens": max_tokens,
        "imported": set_id,
        "sources": source,
        "size": size,
        "seed": seed,
        "endpoint_url": endpoint_url,
        "endpoint_model": endpoint_model,
    }
    follow(load(), options_of(options))


def _spec(
    kind: str, refined: bool, judged: bool, audited: bool, source: list[str] | None, size: int | None, seed: int
) -> SetSpec:
    if kind not in ("agent", "synthesizer"):
        raise UserError(f"There is no kind {kind!r}", "Choose agent or synthesizer.")
    return SetSpec(
        kind=kind,
        refined=refined,
        judged=judged,
        audited=audited,
        sources=tuple(source or ()),
        size=size,
        seed=seed,
    )


def _print_sets(found: list[SftSet], as_json: bool) -> None:
    if as_json:
        echo_json(json.dumps([each.model_dump(mode="json") for each in found], indent=1))
        return
    if not found:
        echo("There are no sets yet. Build one: gem distill sets --kind agent")
        return
    table = Table("set", "kind", "of", "train", "validation", "test", "left out", "dataset versions")
    for each in found:
        wanted = each.spec.model_dump(exclude_defaults=True, exclude={"kind"})
        of = ", ".join(f"{name}={value}" for name, value in wanted.items()) or "everything"
        counts = [str(each.counts[split]) for split in ("train", "validation", "test")]
        left = ", ".join(f"{reason} {count}" for reason, count in each.left_out.items()) or "-"
        table.add_row(each.set_id, each.spec.kind, of, *counts, left, ", ".join(each.versions))
    Terminal().print(table)
