"""Plots of a report, drawn in the training environment, which has matplotlib."""

import json
import re
import subprocess
from pathlib import Path

from gem_tasks.confine.job import Job, SandboxMode
from gem_tasks.confine.launch import started
from gem_tasks.confine.results import require_plain
from gem_tasks.distill.result import TITLES, Result
from gem_tasks.distill.train import run_folder
from gem_tasks.evals.environment import installed, python_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.resources import shipped
from gem_tasks.store import keys

_PLOT_LIMIT_S = 300
_MOST_BYTES = 32 << 20
"""Maximum size of a plot."""


def draw(work: Workspace, result: Result) -> list[str]:
    """Draws PNG files next to the report, in the training environment, which has matplotlib."""
    home = work.settings.home
    if not installed(home, "train"):
        return []
    folder = home.absolute() / "distill" / "runs" / result.plan.plan_id / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    curves = {
        arm: str(run_folder(work, model.model_id) / "metrics.jsonl") for arm, model in result.models.items() if model
    }
    bars = [
        {
            "title": f"{TITLES[each.harness]} {each.label}".strip(),
            "arm": each.arm,
            "scores": [score.model_dump() for score in result.reports[each.key].scores],
        }
        for each in result.measured
    ]
    job = folder / "plots.json"
    job.write_text(json.dumps({"folder": str(folder), "curves": curves, "bars": bars}), encoding="utf-8")
    script = shipped("envs") / "train" / "plots.py"
    drawing = Job(
        command=(str(python_of(home, "train")), str(script), str(job)),
        folder=folder,
        reads=(script.parent, *(Path(path) for path in curves.values())),
        environment={"MPLCONFIGDIR": str(folder / "matplotlib")},
    )
    names = [name for name in _drawn(drawing, work.settings.sandbox) if (folder / f"{name}.png").is_file()]
    require_plain(folder, _MOST_BYTES)
    for name in names:
        work.store.put(keys.experiment_key(result.plan.plan_id, f"{name}.png"), folder / f"{name}.png")
    return names


def _drawn(job: Job, sandbox: SandboxMode) -> list[str]:
    """Draws the plots, and returns their names. Confined, because trainings of foreign weights wrote the curves."""
    with started(job, sandbox, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            said = process.communicate(timeout=_PLOT_LIMIT_S)[0]
        except subprocess.TimeoutExpired:
            return []
    return [line for line in said.decode("utf-8", "replace").split() if re.fullmatch(r"[a-z0-9-]{1,60}", line)]
