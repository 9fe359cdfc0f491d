"""The tasks of `gem_distill`: each takes its input as a value and calls one step of `gem_tasks.distill`.

Heavy packages live in separate environments in GEM_HOME; the steps start them as child processes, which end with the
task.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import task

from gem_airflow.bridge import run_context, workspace
from gem_airflow.distill_options import HARNESSES as HARNESSES
from gem_airflow.distill_options import measured, options, saying, skip_unless_enough


@task(execution_timeout=timedelta(minutes=10))
def plan(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Plans one item per arm; skips the run if a dataset version brought too few new trajectories."""
    from gem_tasks.distill.experiment import plan
    from gem_tasks.distill.record import keep_plan
    from gem_tasks.distill.steps import admit_run

    work, given = workspace(), dict(params or {})
    planned = plan(options(given), folder=work.settings.profiles)
    admit_run(planned, work.settings)
    skip_unless_enough(work, planned.profile.name, given["min_new"])
    keep_plan(work, planned)
    return [{"plan": planned.model_dump(mode="json"), "arm": arm.name} for arm in planned.experiment.arms]


@task(execution_timeout=timedelta(days=14), max_active_tis_per_dagrun=1)
def train(item: dict[str, Any]) -> dict[str, Any] | None:
    """Builds the set and trains; resumes from the last checkpoint, and reuses a model that was already trained."""
    from gem_tasks.distill.experiment import Plan
    from gem_tasks.distill.record import keep_model
    from gem_tasks.distill.steps import train_arm

    work, planned = workspace(), Plan.model_validate(item["plan"])
    model = train_arm(work, planned, item["arm"], run_context().run_id, saying())
    keep_model(work, planned, item["arm"], model)
    return model.model_dump(mode="json") if model else None


@task(execution_timeout=timedelta(days=2))
def serve(model: dict[str, Any] | None) -> dict[str, Any] | None:
    """Starts a server for the model and waits until it answers; None if the arm uses an external endpoint."""
    from gem_tasks.distill.serve import ServeOptions, start
    from gem_tasks.domain.distill import Model

    if model is None:
        return None
    return start(workspace(), Model.model_validate(model), ServeOptions(), saying()).model_dump()


@task(execution_timeout=timedelta(days=2))
def measure(
    harness: str, item: dict[str, Any], model: dict[str, Any] | None, server: dict[str, Any] | None
) -> list[str]:
    """Runs a harness over the arm and records its report; returns no keys if the plan does not include the harness."""
    return measured(harness, item, model, server)


@task(execution_timeout=timedelta(minutes=10))
def stop(server: dict[str, Any] | None) -> None:
    """Stops the server, even if the evaluation failed."""
    from gem_tasks.distill.serve import Served, stop

    if server:
        stop(Served.model_validate(server))


@task(trigger_rule="none_failed_min_one_success", execution_timeout=timedelta(minutes=30))
def report(items: list[dict[str, Any]]) -> str:
    """Writes the report next to its raw numbers; returns its key."""
    from gem_tasks.distill.experiment import Plan
    from gem_tasks.distill.record import so_far
    from gem_tasks.distill.report import write

    work, planned = workspace(), Plan.model_validate(items[0]["plan"])
    return write(work, planned, *so_far(work, planned))[0]


@task(execution_timeout=timedelta(minutes=10))
def promote(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compares the trained model with the champion, or with its base; other experiments promote no model."""
    from gem_tasks.distill.experiment import Plan
    from gem_tasks.distill.record import promote

    return promote(workspace(), Plan.model_validate(items[0]["plan"]))
