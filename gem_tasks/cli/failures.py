"""`gem failures` and `gem retry`: lists failed segments with reasons, and retries them."""

import json
from collections import Counter
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.airflow_names import SYNTHESIZE
from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import ErrorClass
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.pipeline.upkeep.failures import FailureFilter, failures, retry
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load
from gem_tasks.visible import visible

ClassOption = Annotated[ErrorClass | None, typer.Option("--class", help="Only failures of this class.")]
StageOption = Annotated[StageName | None, typer.Option(help="Only failures of this stage.")]
PartitionOption = Annotated[str | None, typer.Option(help="Only failures of this partition, such as 2026-01-31T14:00.")]


def list_failures(
    error_class: ClassOption = None,
    stage: StageOption = None,
    partition: PartitionOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Show up to N failures, newest first.")] = 20,
    raw: Annotated[bool, typer.Option("--raw", help="Also print the last answer of the model.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON, including the raw answers.")] = False,
) -> None:
    """Lists failed segments, newest first, with counts by class.

    Examples:
        gem failures
        gem failures --class malformed --stage generate --raw
        gem failures --json | jq -r '.[].raw'
    """
    which = FailureFilter(error_class=error_class, stage=stage, partition=partition)
    found = failures(Workspace.open(load()), which, limit)
    if as_json:
        echo_json(
            json.dumps([failure.model_dump(mode="json") for failure in found.newest], ensure_ascii=False, indent=1)
        )
        return
    console = Terminal()
    if not found.total:
        console.print("Nothing failed.")
        return
    counts = Counter({f"{name} in {stage}": count for (stage, name), count in found.counts.items()})
    console.print(f"{found.total} failed: " + ", ".join(f"{count} {name}" for name, count in counts.most_common()))
    if found.set_aside:
        console.print(f"{found.set_aside} set aside: several runs got no answer, so the next run does not retry them.")
    console.print(_table(found.newest))
    for failure in found.newest if raw else ():
        console.rule(f"{failure.stage} of {failure.segment_id}")
        console.print(escape(failure.raw or "(no answer)"))
    console.print("Retry them: gem retry --class CLASS", highlight=False)


def retry_failures(
    error_class: ClassOption = None,
    stage: StageOption = None,
    partition: PartitionOption = None,
    mark_only: Annotated[
        bool, typer.Option("--mark-only", help="Start no run: the next `gem run` or `gem synth` retries them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show how many there are.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the outcome, as JSON.")] = False,
) -> None:
    """Retries failed segments only: starts a synthesis run for each of their partitions.

    Without Airflow: use `--mark-only`, then `gem synth`.

    Examples:
        gem retry --class malformed
        gem retry --stage generate --dry-run
    """
    work = Workspace.open(load())
    which = FailureFilter(error_class=error_class, stage=stage, partition=partition)
    if dry_run:
        return _report(retry(work, which, dry_run=True), {}, as_json)
    if mark_only:
        return _report(retry(work, which, dry_run=False), {}, as_json)
    with AirflowAPI(work.settings) as api:  # marks nothing if Airflow is unavailable
        marked = retry(work, which, dry_run=False)
        runs = {key: api.run_url(SYNTHESIZE, api.trigger(SYNTHESIZE, key, {})) for key in marked}
    return _report(marked, runs, as_json)


def _report(marked: dict[str, int], runs: dict[str, str], as_json: bool) -> None:
    if as_json:
        echo_json(json.dumps({"segments": marked, "runs": runs}, indent=1))
        return
    console = Terminal()
    console.print(f"segments: {sum(marked.values())}, partitions: {len(marked)}")
    for key, url in runs.items():
        console.print(f"  {key}: {marked[key]} segments, {url}", soft_wrap=True, highlight=False)


def _table(found: list[Any]) -> Table:
    table = Table()
    for column in ("stage", "class", "", "document", "cause"):
        table.add_column(column, overflow="fold")
    for failure in found:
        detail = " ".join(failure.detail.split())[:200]
        state = "set aside" if failure.set_aside else ""
        table.add_row(failure.stage, failure.error_class, state, escape(visible(failure.uri)), escape(detail))
    return table
