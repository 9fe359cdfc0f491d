"""`gem run`: ingests and synthesizes a source through Airflow, and follows the runs to their end."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gem_tasks.airflow_names import INGEST
from gem_tasks.cli.estimate import EstimateOption, EstimatingCommand, estimate
from gem_tasks.cli.follow import Followed, follow
from gem_tasks.cli.limits import LimitOption, NoLimitOption, asked, kept_limit, lasting
from gem_tasks.cli.preflight import preflight
from gem_tasks.cli.quotas import QuotaOption
from gem_tasks.cli.summary import print_summary, summarise
from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.corpus.sources.trees import file_uri
from gem_tasks.domain.partition import partition_of
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.quotas import apply_quotas
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

app = typer.Typer(add_completion=False)
_LOOK_BACK = 24
"""Number of earlier partitions of the source that are checked for unfinished work."""


@app.command(cls=EstimatingCommand)
def run(
    source: Annotated[
        str, typer.Argument(help="A file, a directory, s3://bucket/prefix, hf://datasets/owner/name, or https://host/.")
    ],
    limit: LimitOption = None,
    no_limit: NoLimitOption = False,
    budget_usd: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="Stop this run before it costs more. Default, also for hourly runs: GEM_BUDGET_USD.",
        ),
    ] = None,
    quota: QuotaOption = None,
    accept_vanished: Annotated[
        bool, typer.Option(help="Retire all documents whose objects are gone, even if there are many.")
    ] = False,
    sample: EstimateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the summary, as JSON.")] = False,
) -> None:
    """Registers SOURCE, runs ingestion and synthesis through Airflow, and prints the summary.

    Running it again reads only new and changed documents; no result is paid for twice. From now on the hourly run also
    reads SOURCE, up to the same limit. A budget applies to this run only.

    Examples:
        gem run examples/corpus
        gem run ~/manuals --estimate
        gem run ~/manuals --limit 100 --budget-usd 5
        gem run ~/manuals --no-limit
        gem run https://docs.example.com/guide/ --limit 100
        gem run ~/manuals --quota domain:finance=10% --quota "task:*=25%"
        gem run s3://my-bucket/docs --json | jq .stages
    """
    work = Workspace.open(load(), options=RunOptions(quotas=tuple(quota or ())))
    source = resolve(source)
    preflight(work, source, quiet=as_json, elsewhere=not (sample or (work.settings.home / "services.env").exists()))
    if sample:
        budget = budget_usd or work.settings.budget_usd
        return estimate(work, source, asked(limit, no_limit), sample, budget_usd=budget, as_json=as_json)
    conf = {
        "source": source, "limit": asked(limit, no_limit), "budget_usd": budget_usd, "accept_vanished": accept_vanished,
        "quotas": quota,
    }  # fmt: skip
    console = Terminal(stderr=True, quiet=as_json)
    partition = current_partition()
    with AirflowAPI(work.settings) as api:
        ingest_run = api.trigger(INGEST, partition, conf)
        console.print(f"Partition {partition}: {api.run_url(INGEST, ingest_run)}", soft_wrap=True)
        followed = follow(work, api, partition, ingest_run, console)
    left = _left(work, source, partition)
    _report(work, followed, source, left, as_json, budgeted=budget_usd is not None)


def resolve(source: str) -> str:
    """Makes local paths absolute, because tasks run in another folder; some become URIs: lists, names not in UTF-8."""
    if "://" in source:
        return source
    if source.startswith("urls+"):
        return "urls+" + file_uri(str(Path(source.removeprefix("urls+")).expanduser().absolute()))
    path = str(Path(source).expanduser().absolute())
    uri = file_uri(path)
    return path if uri == f"file://{path}" else uri


def current_partition() -> str:
    """The hour that a manual run adds its segments to."""
    return partition_of(datetime.now(UTC))


def _left(work: Workspace, source: str, partition: str) -> list[str]:
    """Earlier partitions of the source with unfinished work, which this run does not touch."""
    with work.ledger() as ledger:
        for each in {held.partition for held in ledger.quotas.held(work.chain.id_of("filter"))} - {partition}:
            apply_quotas(work, each)  # this run may have made room for them
        earlier = [each for each in ledger.sources.partitions_of(source) if each != partition][-_LOOK_BACK:]
        links = [line.links() for line in work.lines()]
        return [each for each in earlier if any(ledger.rebuild.pending(each, found) for found in links)]


def _report(
    work: Workspace, followed: Followed, source: str, left: list[str], as_json: bool, *, budgeted: bool
) -> None:
    run_id = followed.synthesize_run or followed.ingest_run
    summary = summarise(work, followed.partition, run_id, followed.worlds_run)
    if as_json:
        kept = {"source": source, "limit": kept_limit(work, source), "hourly_budget_usd": work.settings.budget_usd}
        more = {**kept, "unfinished_partitions": left}
        echo_json(json.dumps({**followed.model_dump(), **summary.plain(), **more}, indent=1))
        return
    console = Terminal()
    print_summary(summary, console, nothing_new=followed.synthesize_run is None and not left)
    if left:
        console.print(f"{len(left)} earlier partitions of this source have unfinished work, such as {left[-1]}.")
        console.print(f"Show it: gem stale. Finish it: gem backfill --from {left[0]} --to {left[-1]}")
    for line in lasting(work, source, budgeted=budgeted):
        echo(line)
