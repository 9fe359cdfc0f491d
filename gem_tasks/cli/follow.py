"""Follows a run in Airflow: current task, progress of each stage, and result."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from gem_tasks.airflow_names import INGEST, SYNTHESIZE, WORLDS
from gem_tasks.cli.summary import ask_again
from gem_tasks.cli.terminal import Terminal
from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import STAGE_NAMES, StageName
from gem_tasks.errors import GemError
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.pipeline.judging.gating import last_decision
from gem_tasks.pipeline.workspace import Workspace

_POLL_S = 0.5
_COUNTED: tuple[StageName, ...] = ("extract", "generate", "world", "simulate")
"""Stages with more input than the stage before accepted: a text has several workflows, a world several tasks."""
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
    worlds_run: str | None = None
    """None if worlds are off, or nothing was published that could have some."""


def follow(work: Workspace, api: AirflowAPI, partition: str, ingest_run: str, console: Terminal) -> Followed:
    """Waits until the ingestion, and the synthesis that it starts, have ended.

    Raises:
        GemError: a run failed; names the task and its log.
    """
    found = Followed(partition=partition, ingest_run=ingest_run, ingest_url=api.run_url(INGEST, ingest_run))
    worlds_run: str | None = None
    with _progress(console) as progress:
        bar = progress.add_task("ingest", total=None)
        _wait(api, INGEST, ingest_run, progress)
        progress.update(bar, total=1, completed=1)
        if _state(api, INGEST, ingest_run, "announce") == "skipped":
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
        if work.settings.worlds == "on" and _state(api, SYNTHESIZE, run, "publish") == "success":
            worlds_run = _follow_worlds(work.in_worlds(), api, partition, run, progress)
    runs = {"synthesize_run": run, "synthesize_url": api.run_url(SYNTHESIZE, run), "worlds_run": worlds_run}
    return found.model_copy(update=runs)


def _wait(api: AirflowAPI, dag: str, run_id: str, progress: Progress, tick: object = None) -> None:
    while (state := api.run_state(dag, run_id)) not in _OVER:
        if callable(tick):
            tick()
        time.sleep(_POLL_S)
    if callable(tick):
        tick()
    if state == "failed":
        progress.stop()
        raise GemError(failure(api, dag, run_id))


def _follow_worlds(worlds: Workspace, api: AirflowAPI, partition: str, synthesize_run: str, progress: Progress) -> str:
    """Waits for the run that the publication has started, and returns its id.

    What was published before stays, also if it fails.
    """
    run = _started_run(api, partition, synthesize_run, progress, WORLDS)
    bar = progress.add_task("worlds", total=None)
    asked: set[str] = set()

    def tick() -> None:
        done, total = done_of(worlds, partition)["simulate"]
        progress.update(bar, total=total or None, completed=done)
        _say_who_is_asked(api, run, progress, asked, WORLDS)

    try:
        _wait(api, WORLDS, run, progress, tick)
    except GemError as error:
        why = _halt(worlds, api, partition, run, WORLDS) or str(error)
        raise GemError(f"{why}\n{ask_again(worlds, partition)}".strip()) from None
    return run


def _state(api: AirflowAPI, dag: str, run_id: str, task_id: str) -> str:
    return next(task["state"] for task in api.tasks(dag, run_id) if task["task_id"] == task_id)


def _started_run(api: AirflowAPI, partition: str, cause: str, progress: Progress, dag: str = SYNTHESIZE) -> str:
    """The run that the event of another run started."""
    deadline = time.monotonic() + _START_LIMIT_S
    bar = progress.add_task("waiting for the scheduler", total=None)
    while time.monotonic() < deadline:
        for run in api.runs_of_partition(dag, partition):
            if cause in api.caused_by(dag, run):
                progress.remove_task(bar)
                return run
        time.sleep(_POLL_S)
    raise GemError(
        f"{dag} was not started within {_START_LIMIT_S} s. Is it unpaused, and is the scheduler healthy? "
        "See `gem status`."
    )


def _stage_bars(work: Workspace, partition: str, progress: Progress, bars: dict[str, TaskID]) -> None:
    for name, (done, total) in done_of(work, partition).items():
        progress.update(bars[name], total=total, completed=done)


def done_of(work: Workspace, partition: str) -> dict[StageName, tuple[int, int]]:
    """Done and total by stage: what the stage before accepted, less what quotas hold and a synthesizer made."""
    with work.ledger() as ledger:
        total = sum(count for _, count in ledger.ingestion.shards(partition))
        counts = [ledger.gates.metrics(partition, *work.recipes_of(name)) for name in work.chain.line]
        drafts = [link for link in work.links() if link.stage in _COUNTED]
        undrafted = ledger.rebuild.unfinished(partition, drafts)
    done: dict[StageName, tuple[int, int]] = {}
    for name, takes, before, found in zip(work.chain.line, work.chain.takes, [None, *counts], counts, strict=False):
        total = getattr(before, takes, 0) if before else total
        if name in _COUNTED:
            total = found.total + undrafted.get(name, 0)
        done[name] = (found.total, total)
    return done


def _say_who_is_asked(api: AirflowAPI, run: str, progress: Progress, said: set[str], dag: str = SYNTHESIZE) -> None:
    """Prints one line for each gate that waits for a person; the run pauses until it is answered."""
    for waiting in api.waiting(dag, run):
        task = waiting["task_instance"]
        stage = task["task_id"].partition(".")[0]
        if stage not in said:
            said.add(stage)
            progress.console.print(
                f"The gate after {stage} waits for a person: {api.review_url(task)}\n"
                f"or in another terminal: gem review {stage}, then gem review {stage} --go-on | --halt",
                soft_wrap=True, markup=False,
            )  # fmt: skip


def _halt(work: Workspace, api: AirflowAPI, partition: str, run: str, dag: str = SYNTHESIZE) -> str:
    """One line on why a gate ended the run; empty if none did."""
    for task in api.tasks(dag, run):
        name: StageName | None = next(
            (known for known in work.chain.line if task["task_id"] == f"{known}.halted"), None
        )
        if name and task["state"] == "failed":
            reason = last_decision(work, name, partition).reason
            return (
                f"The gate after {name} halted partition {partition}: {reason}. "
                f"Nothing was published. {api.run_url(dag, run)}"
            )
    return ""


def failure(api: AirflowAPI, dag: str, run_id: str) -> str:
    """What failed in a run, why, and where to see it."""
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
