"""Records reports in the lineage, and decides which model is champion, by numbers or by a person.

A champion is the champion of a name (`qwen3-8b-agent`). A challenger is compared with it, otherwise with the model
that it was trained from; without either, it is kept without promotion. A person's decision overrides the numbers, and
is recorded as such.
"""

from hashlib import sha256
from pathlib import Path

from gem_tasks.domain.distill import Model
from gem_tasks.domain.evaluation import EvalReport
from gem_tasks.domain.promotion import THE_GATE, Policy, Promotion, Verdict
from gem_tasks.errors import UserError
from gem_tasks.evals.promotion import judge
from gem_tasks.lineage import EvaluationRow, Ledger
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys

_ID = 16


def record(
    work: Workspace, report: EvalReport, out_dir: Path, model_id: str | None = None, run_id: str | None = None
) -> str:
    """Saves a report in the store and its numbers in the lineage, under an id derived from its content.

    Args:
        work: store and lineage.
        report: the report to record.
        out_dir: folder of the harness's files, which stay there.
        model_id: the model's id in `models`; None for an external endpoint.
        run_id: id of the Airflow run.
    """
    body = report.model_dump_json(indent=1).encode()
    evaluation_id = sha256(body).hexdigest()[:_ID]
    work.store.put(keys.evaluation_key(evaluation_id, "report.json"), body)
    with work.ledger() as ledger:
        ledger.evaluations.record(evaluation_id, report, str(out_dir.absolute()), model_id, run_id)
    return evaluation_id


def decide(
    ledger: Ledger,
    model_id: str,
    against: str | None = None,
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> Promotion:
    """Promotes or keeps a model by its newest evaluations, and records why.

    Args:
        ledger: the lineage.
        model_id: the challenger.
        against: the model to compare with; default: the champion of its name, otherwise its base.
        policy: when the challenger counts as better.

    Raises:
        UserError: there is no such model, or it is the champion.
    """
    model = find_model(ledger, model_id)
    with ledger.transaction():
        ledger.evaluations.lock_champion(model.name)
        champion = ledger.evaluations.champion(model.name)
        if champion == model.model_id:
            raise UserError(f"{model.model_id} is already the champion of {model.name}", "No decision is needed.")
        other = against or champion or ledger.evaluations.untrained_base(model.model_id)
        decision = _decision(model, other, _verdict(ledger, model, other, policy), policy)
        ledger.evaluations.record_promotion(decision, model.name)
    return decision


def override(ledger: Ledger, model_id: str, outcome: str, by: str, why: str) -> Promotion:
    """Records a person's decision, `promoted` or `rejected`, regardless of the numbers.

    Raises:
        UserError: there is no such model, or the name or the reason is missing.
    """
    if not by.strip() or not why.strip():
        raise UserError("A decision needs a name and a reason", "Give --by and --why.")
    model = find_model(ledger, model_id)
    with ledger.transaction():
        ledger.evaluations.lock_champion(model.name)
        decision = Promotion.model_validate(
            {
                "model_id": model.model_id,
                "against": ledger.evaluations.champion(model.name),
                "outcome": outcome,
                "decided_by": by.strip()[:100],
                "why": why.strip()[:2000],
                "evidence": {"override": True, "status_before": model.status},
            }
        )
        ledger.evaluations.record_promotion(decision, model.name)
    return decision


def find_model(ledger: Ledger, prefix: str) -> Model:
    """The only model whose id or name has this prefix; for a name, the newest.

    Raises:
        UserError: there is none, or several ids have this prefix.
    """
    found = ledger.distill.find_models(prefix)
    exact = [model for model in found if prefix in (model.model_id, model.name)]
    if not found:
        raise UserError(f"There is no model {prefix!r}", "`gem models list` shows them.")
    if not exact and len(found) > 1:
        raise UserError(f"{len(found)} models begin with {prefix!r}", "Give more characters of the id.")
    return (exact or found)[0]


def find_evaluation(ledger: Ledger, prefix: str) -> EvaluationRow:
    """The only evaluation whose id has this prefix.

    Raises:
        UserError: there is none, or several.
    """
    found = ledger.evaluations.find(prefix, limit=2) if prefix else []
    if len(found) != 1:
        what = "several evaluations begin" if found else "no evaluation begins"
        raise UserError(f"{what.capitalize()} with {prefix!r}", "`gem eval list` shows them.")
    return found[0]


def _verdict(ledger: Ledger, model: Model, other: str | None, policy: Policy) -> Verdict:
    if other is None:
        return Verdict(outcome="kept", why=f"there is no champion of {model.name} and no base model to compare with")
    return judge(ledger.evaluations.of_model(other), ledger.evaluations.of_model(model.model_id), policy)


def _decision(model: Model, other: str | None, verdict: Verdict, policy: Policy) -> Promotion:
    differences = {name: each.model_dump() for name, each in verdict.differences.items()}
    return Promotion(
        model_id=model.model_id,
        against=other,
        outcome=verdict.outcome,
        decided_by=THE_GATE,
        why=verdict.why,
        evidence={"policy": policy.model_dump(), "differences": differences},
    )
