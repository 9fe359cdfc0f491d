"""`gem synth`: the same stages in-process, without Airflow, for a small job or a notebook."""

import json
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from gem_tasks.cli.estimate import EstimateOption, EstimatingCommand, estimate
from gem_tasks.cli.limits import LimitOption, NoLimitOption, asked, kept_limit, lasting
from gem_tasks.cli.preflight import preflight
from gem_tasks.cli.run import current_partition, resolve
from gem_tasks.cli.summary import ask_again, print_summary, summarise
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.dataset.export import export_openai
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.corpus import Source
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import GemError, UserError
from gem_tasks.lineage import RunContext
from gem_tasks.local import services
from gem_tasks.pipeline.batch.run import run_stage
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.judging.gating import gate, nothing_left
from gem_tasks.pipeline.rebuild.plan import plan
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(cls=EstimatingCommand)(synth)


def synth(
    source: Annotated[str, typer.Argument(help="A file, a directory, or s3://bucket/prefix.")],
    out: Annotated[Path, typer.Option(help="Folder for trajectories.jsonl.")],
    limit: LimitOption = None,
    no_limit: NoLimitOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Go on where a gate would ask a person.")] = False,
    sample: EstimateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")] = False,
) -> None:
    """Runs all stages over SOURCE in this process and exports what was accepted.

    Starts the embedded Postgres and teacher if none are configured; Airflow is not needed.

    Examples:
        gem synth manual.md --out data
        gem synth docs/ --out data --limit 20 --json
        gem synth docs/ --out data --estimate 30
    """
    services.up(airflow=False)
    work = Workspace.open(load())
    source = resolve(source)
    preflight(work, source, quiet=as_json)
    if sample:
        budget = work.settings.budget_usd
        return estimate(work, source, asked(limit, no_limit), sample, budget_usd=budget, as_json=as_json)
    console = Terminal(stderr=True, quiet=as_json)
    partition = current_partition()
    with console.status("ingest"):
        ingest(work, Source(uri=source, limit=asked(limit, no_limit)), partition)
    with work.ledger() as ledger:  # documents stay in the hour in which they were first read
        partitions = ledger.sources.partitions_of_source(source) or [partition]
    published, halted = False, list[GemError]()
    for each in partitions:
        try:
            published |= _publish(work, each, console, yes=yes)
        except UserError:
            raise
        except GemError as error:  # of this hour's documents: those of others are exported all the same
            halted.append(error)
    if published:
        export_openai(work, out, *partitions)
    if halted:
        raise halted[0]
    summary = {**summarise(work, partitions[-1], None), "out": str(out), "limit": kept_limit(work, source)}
    if as_json:
        echo_json(json.dumps(summary, indent=1))
    else:
        print_summary(summary, Terminal())
        for line in lasting(work, source):
            echo(line)


def _publish(work: Workspace, partition: str, console: Terminal, *, yes: bool) -> bool:
    """Brings a partition to its dataset; whether it has one now.

    Raises:
        GemError: a gate halted, or the partition is incomplete.
    """
    run_stages(work, partition, console, yes=yes)
    report = publish(work, partition)
    if report.held_back:
        raise GemError(f"Nothing is published: {report.held_back}")
    return report.version is not None


def run_stages(work: Workspace, partition: str, console: Terminal, *, yes: bool = False) -> None:
    """Every stage over every pending shard, one after the other.

    Raises:
        GemError: a gate halted, or would ask a person and nobody said `yes` beforehand.
    """
    register_recipes(work)
    shards = plan(work, partition)
    run = RunContext(run_id=f"synth__{uuid4().hex[:12]}")  # what the budget belongs to
    for name in STAGE_NAMES:
        for number, shard in enumerate(shards, start=1):
            with console.status(f"{name}: shard {number} of {len(shards)}"):
                run_stage(work, name, partition, shard["shard"], run)
        decision = gate(work, name, partition, RunContext())
        if decision.action == "halt" or (decision.action == "review" and not yes):
            hint = ask_again(work, partition) if decision.action == "halt" else "Look at it, and continue with --yes."
            raise GemError(f"The gate after {name} halted: {decision.reason}. {hint}".strip())
        if name == "validate" and nothing_left(work, name, partition):
            return
