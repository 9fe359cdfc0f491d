"""Follows a run in Airflow: current task, progress of each stage, and result."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from gem_tasks.airflow_names import INGEST, SYNTHESIZE
from gem_tasks.cli.summary import ask_again
from gem_tasks.cli.terminal import Terminal
from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import PER_TAKE, STAGE_NAMES, StageName
from gem_tasks.errors import GemError
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.pipeline.judging.gating import last_decision
from gem_tasks.pipeline.workspace import Workspace

_POLL_S = 0.5
_OVER = {"success", "failed"}
_START_LIMIT_S = 120
"""Seconds that the scheduler may take to start a run for an asset event; later, it is not running."""


class Followed(Value):
    """The runs, and where to find them."""

    partition: str
    ingest_run: str
    ingest_url: str
    synthesize_run: str | None = None
    """None if there was nothing to do."""
    synthesize_url: str | None = None


def follow(work: Workspace, api: AirflowAPI, partition: str, ingest_run: str, console: Terminal) -> Followed:
    """Waits until the ingestion, and the synthesis that it starts, have ended.

    Raises:
        GemError: a run failed; names the task and its log.
    """
    found = Followed(partition=partition, ingest_run=ingest_run, ingest_url=api.run_url(INGEST, ingest_run))
    with _progress(console) as progress:
        bar = progress.add_task("ingest", total=None)
        _wait(api, INGEST, ingest_run, progress)
        progress.update(bar, total=1, completed=1)
        if _announced(api, ingest_run) == "skipped":
            return found
        run = _started_run(api, partition, ingest_run, progress)
        bars = {name: progress.add_task(name, total=None) for name in STAGE_NAMES}
        asked: set[str] = set()

        def tick() -> None:
            _stage_bars(work, partition, progress, bars)
            _say_who_is_asked(api, run, progress, asked)

        try:
            _wait(api, SYNTHESIZE, run, progress, tick)
        except GemError as error:
            why = _halt(work, api, partition, run) or str(error)
            raise GemError(f"{why}\n{ask_again(work, partition)}".strip()) from None
    return found.model_copy(update={"synthesize_run": run, "synthesize_url": api.run_url(SYNTHESIZE, run)})


def _wait(api: AirflowAPI, dag: str, run_id: str, progress: Progress, tick: object = None) -> None:
    while (state := api.run_state(dag, run_id)) not in _OVER:
        if callable(tick):
            tick()
        time.sleep(_POLL_S)
    if callable(tick):
        tick()
    if state == "failed":
        progress.stop()
        raise GemError(_failure(api, dag, run_id))


def _announced(api: AirflowAPI, run_id: str) -> str:
    return next(task["state"] for task in api.tasks(INGEST, run_id) if task["task_id"] == "announce")


def _started_run(api: AirflowAPI, partition: str, ingest_run: str, progress: Progress) -> str:
    """The synthesis run that the event of this ingestion started."""
    deadline = time.monotonic() + _START_LIMIT_S
    bar = progress.add_task("waiting for the scheduler", total=None)
    while time.monotonic() < deadline:
        for run in api.runs_of_partition(SYNTHESIZE, partition):
            if ingest_run in api.caused_by(SYNTHESIZE, run):
                progress.remove_task(bar)
                return run
        time.sleep(_POLL_S)
    raise GemError(
        f"{SYNTHESIZE} was not started within {_START_LIMIT_S} s. Is it unpaused, and is the scheduler healthy? "
        "See `gem status`."
    )


def _stage_bars(work: Workspace, partition: str, progress: Progress, bars: dict[str, TaskID]) -> None:
    for name, (done, total) in done_of(work, partition).items():
        progress.update(bars[name], total=total, completed=done)


def done_of(work: Workspace, partition: str) -> dict[StageName, tuple[int, int]]:
    """Done and total by stage: what the stage before accepted, less what quotas hold; of `generate`, every take."""
    with work.ledger() as ledger:
        total = sum(count for _, count in ledger.ingestion.shards(partition))
        counts = [ledger.gates.metrics(partition, *work.recipes_of(name)) for name in STAGE_NAMES]
        drafts = [link for link in work.links() if link.stage == PER_TAKE[0]]
        undrafted = sum(ledger.rebuild.unfinished(partition, drafts).values())
        waiting = ledger.quotas.held(work.chain.id_of("filter"))
    held = sum(each.texts for each in waiting if each.partition == partition)
    done: dict[StageName, tuple[int, int]] = {}
    for name, takes, before, found in zip(STAGE_NAMES, work.chain.takes, [None, *counts], counts, strict=False):
        total = getattr(before, takes, 0) if before else total
        if name == PER_TAKE[0]:
            total = found.total + undrafted
        done[name] = (found.total, total - held if name == "extract" else total)
    return done


def _say_who_is_asked(api: AirflowAPI, run: str, progress: Progress, said: set[str]) -> None:
    """Prints one line for each gate that waits for a person; the run pauses until it is answered."""
    for waiting in api.waiting(SYNTHESIZE, run):
        task = waiting["task_instance"]
        stage = task["task_id"].partition(".")[0]
        if stage not in said:
            said.add(stage)
            progress.console.print(
                f"The gate after {stage} waits for a person: {api.review_url(task)}\n"
                f"or in another terminal: gem review {stage}, then gem review {stage} --go-on | --halt",
                soft_wrap=True, markup=False,
            )  # fmt: skip


def _halt(work: Workspace, api: AirflowAPI, partition: str, run: str) -> str:
    """One line on why a gate ended the run; empty if none did."""
    for task in api.tasks(SYNTHESIZE, run):
        name: StageName | None = next((known for known in STAGE_NAMES if task["task_id"] == f"{known}.halted"), None)
        if name and task["state"] == "failed":
            reason = last_decision(work, name, partition).reason
            return (
                f"The gate after {name} halted partition {partition}: {reason}. "
                f"Nothing was published. {api.run_url(SYNTHESIZE, run)}"
            )
    return ""


def _failure(api: AirflowAPI, dag: str, run_id: str) -> str:
    failed = [task for task in api.tasks(dag, run_id) if task["state"] == "failed"]
    names = ", ".join(
        task["task_id"] + (f"[{task['map_index']}]" if task["map_index"] >= 0 else "") for task in failed[:5]
    )
    said = next(filter(None, (api.complaint(task) for task in failed[:5])), "The task's log says why.")
    return f"{dag} failed in {names or 'no task'}: {said}\n{api.run_url(dag, run_id)}"


@contextmanager
def _progress(console: Terminal) -> Generator[Progress]:
    columns = (SpinnerColumn(), TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=False) as progress:
        yield progress
