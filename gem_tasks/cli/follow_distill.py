"""Starts `gem_distill` and prints its progress until it ends."""

import time

from gem_tasks.airflow_names import DISTILL
from gem_tasks.cli.follow import failure
from gem_tasks.cli.terminal import Terminal, echo
from gem_tasks.distill.experiment import Options
from gem_tasks.distill.steps import admit_servers
from gem_tasks.errors import GemError
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from gem_tasks.store import keys

_LOOK_S = 2.0
_ENDED = ("success", "failed")


def follow(settings: Settings, options: Options) -> None:
    """Runs the DAG to its end and prints the location of the report.

    Raises:
        UserError: a named server is not allowed.
        GemError: the run failed; the message says why, and links to it.
    """
    admit_servers(options, settings)
    console = Terminal(stderr=True)
    with AirflowAPI(settings) as api:
        if api.unpause(DISTILL):
            console.print(
                f"{DISTILL} was paused. It is now active and also starts on new dataset versions (param min_new)."
            )
        run_id = api.start(DISTILL, options.model_dump(mode="json", exclude_unset=True))
        console.print(f"Run: {api.run_url(DISTILL, run_id)}", soft_wrap=True)
        state, told = _wait(api, run_id, console)
        report = api.xcom(DISTILL, run_id, "report") if told.get(("report", -1)) == "success" else None
        if state != "success" or report is None:
            raise GemError(failure(api, DISTILL, run_id))
    echo(f"Report: {report}")
    _show(settings, report)


def _wait(api: AirflowAPI, run_id: str, console: Terminal) -> tuple[str, dict[tuple[str, int], str]]:
    told: dict[tuple[str, int], str] = {}
    while True:
        state = api.run_state(DISTILL, run_id)
        for task in api.tasks(DISTILL, run_id):
            key, now = (task["task_id"], task["map_index"]), str(task["state"])
            if now != told.get(key) and now in ("running", "success", "failed", "up_for_retry", "skipped"):
                place = f" [{key[1]}]" if key[1] >= 0 else ""
                if not (now == "skipped" and key not in told):
                    console.print(f"{key[0]}{place}: {now}", markup=False)
                told[key] = now
        if state in _ENDED:
            return state, told
        time.sleep(_LOOK_S)


def _show(settings: Settings, report: str) -> None:
    """Prints the text of the report from the store."""
    work = Workspace.open(settings)
    prefix = work.store.url(keys.experiment_key("x", "report.md")).removesuffix("experiments/x/report.md")
    echo(work.fetch(report.removeprefix(prefix)).decode())
