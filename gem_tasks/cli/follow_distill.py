"""Starts `gem_distill` and says what it does until it ends."""

import time

from gem_tasks.airflow_names import DISTILL
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
    """Runs it to the end and prints where the report is.

    Raises:
        UserError: a server that is named may not be asked.
        GemError: the run failed; names its page.
    """
    admit_servers(options, settings)
    console = Terminal(stderr=True)
    with AirflowAPI(settings) as api:
        if api.unpause(DISTILL):
            console.print(f"{DISTILL} was paused; it now also follows new dataset versions (param min_new)")
        run_id = api.start(DISTILL, options.model_dump(mode="json", exclude_unset=True))
        console.print(f"Run: {api.run_url(DISTILL, run_id)}", soft_wrap=True)
        state, told = _wait(api, run_id, console)
        report = api.xcom(DISTILL, run_id, "report") if told.get(("report", -1)) == "success" else None
        url = api.run_url(DISTILL, run_id)
    if state != "success" or report is None:
        raise GemError(f"the run ended without a report; its tasks and logs: {url}")
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
    """The report's text, from wherever the store is."""
    work = Workspace.open(settings)
    prefix = work.store.url(keys.experiment_key("x", "report.md")).removesuffix("experiments/x/report.md")
    echo(work.fetch(report.removeprefix(prefix)).decode())
