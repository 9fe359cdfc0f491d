"""The steps of an experiment, as an Airflow task or a loop calls them: train an arm, serve it, measure it.

A step gets the results of earlier ones from Postgres, from the store, or from their return values. A
harness's own files stay under `GEM_HOME/distill/runs/{plan}`, where a retry resumes; reports go to the store.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from gem_tasks.corpus.segment import count_tokens
from gem_tasks.distill import next_actions, sets, worlds
from gem_tasks.distill.experiment import HELD_OUT, Arm, Options, Plan
from gem_tasks.distill.train import require_machine, train
from gem_tasks.distill.trust import refuse_code
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.costs import total_cost
from gem_tasks.domain.distill import Model, SftSet
from gem_tasks.domain.evaluation import Endpoint, EvalReport, Harness
from gem_tasks.domain.stage import ACCEPTING
from gem_tasks.errors import UserError
from gem_tasks.evals import bfcl, registry, synthesizer, tau2, tool_eval_bench
from gem_tasks.evals.admission import admit
from gem_tasks.evals.bfcl_parts import holding
from gem_tasks.evals.calls import run as calls
from gem_tasks.evals.calls.conversations import LeftOut
from gem_tasks.evals.calls.kinds import CALLING
from gem_tasks.evals.calls.turns import turns_of
from gem_tasks.evals.options import (
    BfclOptions,
    SynthesizerOptions,
    Tau2Options,
    ToolEvalBenchOptions,
    WorldsOptions,
)
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.evals.synthesizer import Yield
from gem_tasks.evals.worlds.run import evaluate
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from gem_tasks.store import keys

_TEACHER = "offline-rules"
_HUB_ID = r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?"


class Measured(Value):
    """One report of one arm, and its key."""

    arm: str
    harness: Harness
    label: str
    """The label of the sources, if an arm is measured on several."""
    key: str
    """Key of the report in the store."""
    evaluation_id: str
    seconds: float


def arm_of(plan: Plan, name: str) -> Arm:
    """Returns the plan's arm with this name."""
    return next(arm for arm in plan.experiment.arms if arm.name == name)


def train_arm(
    work: Workspace, plan: Plan, name: str, run_id: str | None = None, progress: Progress = silent
) -> Model | None:
    """Builds the arm's set and trains on it; None for an external endpoint."""
    if plan.external:
        return None
    arm = arm_of(plan, name)
    require_machine(plan.profile)
    progress("build the set", 0, 0)
    found = sets.build(work, plan.spec(arm))
    return train(work, plan.profile, found, base_only=arm.base, run_id=run_id, progress=progress)


def admit_servers(asked: Options, settings: Settings) -> None:
    """Checks, before anything starts, that the run may use this server.

    Raises:
        UserError: the run may not use it.
    """
    for url in filter(None, (asked.endpoint_url, asked.user_url)):
        admit(url, settings.eval_endpoints.split())


def admit_run(plan: Plan, settings: Settings) -> None:
    """Checks everything that a run's parameters name: servers, weights, and the profile.

    Raises:
        UserError: the deployment does not allow it.
    """
    admit_servers(plan.options, settings)
    refuse_code(plan.profile, settings.trust_remote_code)
    if (model := plan.options.model) and (Path(model).exists() or not re.fullmatch(_HUB_ID, model)):
        roots = [Path(root).resolve() for root in settings.model_roots.split()]
        if not any(Path(model).resolve().is_relative_to(root) for root in roots):
            allowed = f"Permitted folders: {settings.model_roots}." if roots else "Name the folders in GEM_MODEL_ROOTS."
            raise UserError(f"Runs may not load weights from {model[:200]!r}", allowed)


def endpoint_of(plan: Plan, settings: Settings) -> Endpoint | None:
    """The external server that the plan names, if any."""
    own = plan.options
    if own.endpoint_url is None or own.endpoint_model is None:
        return None
    return Endpoint(base_url=own.endpoint_url, model=own.endpoint_model, api_key=settings.eval_api_key)


def measure(
    work: Workspace,
    plan: Plan,
    name: str,
    harness: Harness,
    endpoint: Endpoint,
    model: Model | None,
    run_id: str | None = None,
    progress: Progress = silent,
) -> list[Measured]:
    """Runs one harness over one arm; records every report in Postgres and keeps it in the store.

    Raises:
        UserError: the endpoint does not answer, or there are no cases; without held-out worlds or conversations, there
            is no report of them.
    """
    folder = work.settings.home.absolute() / "distill" / "runs" / plan.plan_id / slug(name)
    arm = arm_of(plan, name)
    labels = list(arm.tests) or [HELD_OUT] if harness == "synthesizer" else [""]
    found: list[Measured] = []
    for label in labels:
        out = folder / "-".join(filter(None, (harness, slug(label))))
        measured = _run(work, plan, arm, harness, label, endpoint, out, progress)
        if measured is None:
            progress(f"{harness}: no held-out text has any", 0, 0)
            continue
        report = _named(measured, endpoint, model)
        key = keys.experiment_key(plan.plan_id, f"{slug(name)}/{out.name}.json")
        work.store.put(key, report.model_dump_json(indent=1).encode())
        evaluation = registry.record(work, report, out, model.model_id if model else None, run_id)
        found.append(
            Measured(
                arm=name,
                harness=harness,
                label=label,
                key=key,
                evaluation_id=evaluation,
                seconds=report.seconds,
            )
        )
    return found


def _named(report: EvalReport, endpoint: Endpoint, model: Model | None) -> EvalReport:
    """Replaces the folder's name, which the server reports, with the model's name."""
    if model is None:
        return report
    settings = report.settings
    if settings.user_model == endpoint.model:
        settings = settings.model_copy(update={"user_model": f"{model.name} {model.model_id}"})
    return report.model_copy(update={"model": model.name, "settings": settings})


def held_out(work: Workspace, found: SftSet, most: int | None = None) -> list[Segment]:
    """The texts of a set's test split, in the form of training texts."""
    texts: dict[str, Segment] = {}
    for row in sets.read(work, found, "test"):
        key, text = row["segment_id"], row["text"]
        document, _, span = key.rpartition(".")
        start, _, end = span.partition("-")
        texts[key] = Segment(
            segment_id=key,
            document_id=document,
            document_uri=row["document_uri"],
            start=int(start),
            end=int(end),
            tokens=count_tokens(text),
            text=text,
        )
    return list(texts.values())[:most]


def pipeline_yield(work: Workspace, found: SftSet, segments: Sequence[Segment]) -> Yield:
    """The pipeline's cost for the same texts: all stages, including retries."""
    with work.ledger() as ledger:
        recipes = sorted({recipe for each in ledger.distill.recipes_of_versions(found.versions) for recipe in each})
        rows = ledger.distill.pipeline_cost([each.segment_id for each in segments], recipes)
    accepted = sum(row.accepted for row in rows if row.stage in ACCEPTING)
    latency = sum(row.latency_ms for row in rows) / 1000
    return Yield(
        texts=len(segments),
        accepted=accepted,
        calls=sum(row.calls for row in rows),
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.completion_tokens for row in rows),
        usd=total_cost(rows),
        latency_s={"mean": round(latency / len(segments), 4)} if segments else {},
    )


def _run(
    work: Workspace,
    plan: Plan,
    arm: Arm,
    harness: Harness,
    label: str,
    endpoint: Endpoint,
    out: Path,
    progress: Progress,
) -> EvalReport | None:
    """None: there are no held-out tasks in worlds, or no held-out conversations."""
    own, home, sandbox = plan.options, work.settings.home, work.settings.sandbox
    common: Json = {"subset": own.subset, "max_tokens": own.max_tokens, "request_timeout_s": own.request_timeout_s}
    if harness == "bfcl":
        options = BfclOptions(**common, ids=own.bfcl_ids, categories=holding(own.bfcl_ids))
        return bfcl.evaluate(endpoint, options, out, home=home, progress=progress, sandbox=sandbox)
    if harness == "tau2":
        user = _user(plan, work.settings, endpoint)
        domains: Json = {} if own.tau2_ids else {"domains": ("airline", "retail")}
        simulated = Tau2Options(
            **common, **domains, ids=own.tau2_ids, epochs=own.epochs, user=user, message_limit=own.message_limit
        )
        return tau2.evaluate(endpoint, simulated, out, home=home, progress=progress, sandbox=sandbox)
    if harness == "tool-eval-bench":
        scripted = ToolEvalBenchOptions(**common, ids=own.tool_eval_bench_ids, epochs=own.epochs)
        return tool_eval_bench.evaluate(endpoint, scripted, out, home=home, progress=progress, sandbox=sandbox)
    if harness == "worlds":
        return _in_worlds(work, plan, endpoint, out, progress)
    if harness == "calls":
        return _next_actions(work, plan, endpoint, out, progress)
    sources = arm.tests.get(label)
    found = sets.build(work, plan.spec(arm, sources))
    segments = held_out(work, found, own.texts)
    if not segments:
        raise UserError(
            f"There is no held-out text for {arm.name} {label}".strip(), "Publish more, or widen the sources."
        )
    asked = SynthesizerOptions(
        prices=work.settings.llm_prices,
        request_timeout_s=own.request_timeout_s,
        **({"max_tokens": own.max_tokens} if own.max_tokens else {}),
    )
    pipeline = pipeline_yield(work, found, segments)
    return synthesizer.evaluate(endpoint, asked, out, segments=segments, pipeline=pipeline, progress=progress)


def _in_worlds(work: Workspace, plan: Plan, endpoint: Endpoint, out: Path, progress: Progress) -> EvalReport | None:
    own, cases = plan.options, worlds.held_out_cases(work, plan)
    limit: Json = {"max_tokens": own.max_tokens} if own.max_tokens else {}
    user = _user(plan, work.settings, endpoint)
    common: Json = {"request_timeout_s": own.request_timeout_s, "caps": worlds.caps_of(plan), **limit}
    options = WorldsOptions(user=user, tries=own.epochs, **common)
    return evaluate(endpoint, cases, options, out, sandbox=work.settings.sandbox, progress=progress) if cases else None


def _next_actions(work: Workspace, plan: Plan, endpoint: Endpoint, out: Path, progress: Progress) -> EvalReport | None:
    left_out = LeftOut()
    found, options = next_actions.held_out_conversations(work, plan, left_out), next_actions.options_of(plan)
    if not any(turn.kind in CALLING for turn in turns_of(found, options.max_context, LeftOut())):
        return None
    return calls.evaluate(endpoint, found, options, out, left_out=left_out, progress=progress)


def _user(plan: Plan, settings: Settings, endpoint: Endpoint) -> Endpoint:
    """The model that plays the customer or user: the named one, otherwise the pipeline's, otherwise the tested one."""
    own = plan.options
    if own.user_url and own.user_model:
        return Endpoint(base_url=own.user_url, model=own.user_model, api_key=settings.eval_user_api_key)
    if settings.llm_model == _TEACHER or settings.llm_base_url is None:  # the teacher supports only GEM's prompts
        return endpoint
    return Endpoint(base_url=settings.llm_base_url, model=settings.llm_model, api_key=settings.llm_api_key)


def slug(name: str) -> str:
    """A name as a part of a path."""
    return "-".join("".join(char if char.isalnum() else " " for char in name.lower()).split())
