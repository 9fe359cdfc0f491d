"""`gem synth`: runs the stages in this process, without Airflow, for a small job."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gem_tasks.cli.estimate import EstimateOption, EstimatingCommand, estimate
from gem_tasks.cli.limits import LimitOption, NoLimitOption, asked, kept_limit, lasting
from gem_tasks.cli.preflight import preflight
from gem_tasks.cli.run import current_partition, resolve
from gem_tasks.cli.summary import ask_again, print_summary, summarise
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.dataset import worlds
from gem_tasks.dataset.export import export_openai
from gem_tasks.domain.corpus import Source
from gem_tasks.errors import GemError, UserError
from gem_tasks.in_process import HaltedError, synthesize_partition
from gem_tasks.local import services
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

app = typer.Typer(add_completion=False)


@app.command(cls=EstimatingCommand)
def synth(
    source: Annotated[str, typer.Argument(help="A file, a directory, or s3://bucket/prefix.")],
    out: Annotated[Path, typer.Option(help="Folder to write trajectories.jsonl to.")],
    limit: LimitOption = None,
    no_limit: NoLimitOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Continue where a gate would ask a person.")] = False,
    sample: EstimateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the summary, as JSON.")] = False,
) -> None:
    """Runs all stages over SOURCE in this process and exports the accepted trajectories.

    Starts the embedded PostgreSQL, and the offline teacher if it is installed. Airflow is not needed.

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
    with work.ledger() as ledger:  # documents stay in the partition that first read them
        partitions = ledger.sources.partitions_of(source) or [partition]
    published, halted = False, list[GemError]()
    for each in partitions:
        try:
            published |= _publish(work, each, console, yes=yes)
        except UserError:
            raise
        except GemError as error:  # concerns this partition only: export the others
            halted.append(error)
    if published:
        export_openai(work, out, *partitions)
        worlds.export(work, out, *partitions)
    if halted:
        raise halted[0]
    summary = summarise(work, partitions[-1], None)
    if as_json:
        echo_json(json.dumps({**summary.plain(), "out": str(out), "limit": kept_limit(work, source)}, indent=1))
    else:
        print_summary(summary, Terminal())
        for line in lasting(work, source):
            echo(line)


def _publish(work: Workspace, partition: str, console: Terminal, *, yes: bool) -> bool:
    """Brings a partition to its dataset; an error also says what to type."""
    try:
        return synthesize_partition(work, partition, pass_reviews=yes, doing=console.status)
    except HaltedError as halted:
        hint = "Review the results, and continue with --yes." if halted.asks else ask_again(work, partition)
        raise GemError(f"{halted} {hint}".strip()) from None
