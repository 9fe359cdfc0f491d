"""Runs a whole experiment in this process: like the DAG `gem_distill`, one arm after the other, without Airflow."""

from collections.abc import Generator
from contextlib import contextmanager

from gem_tasks.distill import record, report, serve
from gem_tasks.distill.experiment import Plan
from gem_tasks.distill.serve import ServeOptions
from gem_tasks.distill.steps import admit_servers, endpoint_of, measure, train_arm
from gem_tasks.domain.distill import Model
from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.pipeline.workspace import Workspace


def run(work: Workspace, plan: Plan, progress: Progress = silent) -> str:
    """Runs the experiment and returns the location of the report.

    Raises:
        UserError: the plan cannot be carried out.
    """
    admit_servers(plan.options, work.settings)
    record.keep_plan(work, plan)
    for arm in plan.experiment.arms:
        model = train_arm(work, plan, arm.name, progress=progress)
        record.keep_model(work, plan, arm.name, model)
        with _endpoint(work, plan, model, progress) as endpoint:
            for harness in plan.harnesses:
                found = measure(work, plan, arm.name, harness, endpoint, model, progress=progress)
                record.keep_measured(work, plan, found)
    return report.write(work, plan, *record.so_far(work, plan))[0]


@contextmanager
def _endpoint(work: Workspace, plan: Plan, model: Model | None, progress: Progress) -> Generator[Endpoint]:
    given = endpoint_of(plan, work.settings)
    if given is not None or model is None:
        assert given is not None  # noqa: S101 - without a model the plan names an endpoint
        yield given
        return
    served = serve.start(work, model, ServeOptions(), progress)
    try:
        with serve.renewing(served):
            yield served.endpoint
    finally:
        serve.stop(served)
