"""Keeps an experiment's results in the store, so that steps in other tasks and later reports find them."""

import json

from gem_tasks.distill.experiment import DEFAULT, Plan
from gem_tasks.distill.steps import Measured, slug
from gem_tasks.domain.base import Json
from gem_tasks.domain.distill import Model
from gem_tasks.errors import UserError
from gem_tasks.evals import registry
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys

_MODEL, _MEASURED, _PLAN = "model.json", ".measured.json", "plan.json"


def keep_plan(work: Workspace, plan: Plan) -> None:
    """Saves the plan before anything else; saving the same plan again is allowed.

    Raises:
        UserError: another run has that id.
    """
    data = plan.model_dump_json(indent=1).encode()
    key = keys.experiment_key(plan.plan_id, _PLAN)
    if not work.store.create(key, data) and work.fetch(key) != data:
        raise UserError(f"An experiment run {plan.plan_id} was started in the same second", "Start it again.")


def find_plan(work: Workspace, plan_id: str) -> Plan:
    """The plan of that id.

    Raises:
        UserError: there is no such plan.
    """
    try:
        return Plan.model_validate_json(work.store.get(keys.experiment_key(plan_id, _PLAN)))
    except KeyError:
        raise UserError(f"There is no experiment run {plan_id!r}", "`gem experiment run` prints its id.") from None


def keep_model(work: Workspace, plan: Plan, arm: str, model: Model | None) -> None:
    """Saves an arm's model; None for an external endpoint."""
    data = model.model_dump_json(indent=1) if model else "null"
    work.store.put(keys.experiment_key(plan.plan_id, f"{slug(arm)}/{_MODEL}"), data.encode())


def keep_measured(work: Workspace, plan: Plan, found: list[Measured]) -> None:
    """Records a harness's reports for an arm."""
    for each in found:
        work.store.put(each.key.removesuffix(".json") + _MEASURED, each.model_dump_json(indent=1).encode())


def so_far(work: Workspace, plan: Plan) -> tuple[dict[str, Model | None], list[Measured]]:
    """Models by arm, and measurements, in the order of arms and harnesses."""
    models: dict[str, Model | None] = {}
    measured: list[Measured] = []
    for arm in plan.experiment.arms:
        folder = keys.experiment_key(plan.plan_id, f"{slug(arm.name)}/")
        for key in work.store.list(folder):
            if key.endswith(_MEASURED):
                measured.append(Measured.model_validate_json(work.fetch(key)))
            elif key.endswith(f"/{_MODEL}"):
                data = json.loads(work.fetch(key))
                models[arm.name] = Model.model_validate(data) if data else None
    return models, measured


def promote(work: Workspace, plan: Plan) -> list[Json]:
    """Decides about the model of the default experiment; other experiments compare arms and promote no model."""
    if plan.experiment.name != DEFAULT:
        return []
    models, _ = so_far(work, plan)
    ids = [model.model_id for model in models.values() if model and model.set_id]
    with work.ledger() as ledger:
        return [registry.decide(ledger, key).model_dump(mode="json") for key in ids]
