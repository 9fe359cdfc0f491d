"""One report of one experiment: `report.md` with tables and plots, built from `raw.json` next to it.

Scores come from the lineage: rebuilt later, both files are the same to the last digit.

The report shows scores with their standard errors, and marks the paper's scores without comparing them. A difference
between two arms is a paired bootstrap over the same cases.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

from gem_tasks.distill.experiment import Plan
from gem_tasks.distill.markdown import as_counts, as_number, as_table
from gem_tasks.distill.plots import draw
from gem_tasks.distill.result import TITLES, Result
from gem_tasks.distill.scores import correlation_section, difference_section, score_section, yield_section
from gem_tasks.distill.steps import Measured
from gem_tasks.domain.distill import Model, SftSet
from gem_tasks.domain.evaluation import EvalReport
from gem_tasks.evals.correlation import MOST, Correlation, correlations
from gem_tasks.evals.registry import find_evaluation
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys


def write(
    work: Workspace, plan: Plan, models: dict[str, Model | None], measured: Sequence[Measured]
) -> tuple[str, Result]:
    """Writes report and data to the store; returns the report's key and text."""
    result = _gather(work, plan, models, measured)
    plain = json.loads(result.model_dump_json())
    raw = json.dumps(plain, indent=1, sort_keys=True)  # plans that tasks pass on have other orders of keys
    work.store.put(keys.experiment_key(plan.plan_id, "raw.json"), raw.encode())
    plots = draw(work, result)
    text = render(result, plots)
    key = keys.experiment_key(plan.plan_id, "report.md")
    work.store.put(key, text.encode())
    return work.store.url(key), result


def render(result: Result, plots: Sequence[str] = ()) -> str:
    """The report as Markdown. Pure."""
    plan = result.plan
    parts = [f"# {plan.experiment.title}", plan.experiment.question, *_facts(result)]
    if any(result.models.values()):
        parts += ["## Training", _training(result)]
    for harness in plan.harnesses:
        if rows := [each for each in result.measured if each.harness == harness]:
            parts += [f"## {TITLES[harness]}", *score_section(result, rows)]
            parts += yield_section(result, rows) if harness == "synthesizer" else []
    parts += difference_section(result)
    parts += correlation_section(result)
    parts += [f"![{name}]({name}.png)" for name in plots]
    parts += ["## Where the numbers come from", _lineage(result)]
    return "\n\n".join(parts) + "\n"


def _gather(work: Workspace, plan: Plan, models: dict[str, Model | None], measured: Sequence[Measured]) -> Result:
    reports: dict[str, EvalReport] = {}
    found: dict[str, SftSet | None] = {}
    lineage: dict[str, list[str]] = {}
    with work.ledger() as ledger:
        for each in measured:
            reports[each.key] = ledger.evaluations.report(find_evaluation(ledger, each.evaluation_id))
        ranked = _correlations(ledger, measured, reports)
        for arm, model in models.items():
            known = ledger.distill.find_sets(model.set_id, limit=1) if model and model.set_id else []
            found[arm] = known[0] if known else None
            recipes = ledger.distill.recipes_of_versions(known[0].versions) if known else []
            lineage[arm] = sorted({each for several in recipes for each in several})
    return Result(
        plan=plan,
        models=models,
        sets=found,
        measured=tuple(measured),
        reports=reports,
        correlations=ranked,
        lineage=lineage,
    )


def _correlations(
    ledger: Ledger, measured: Sequence[Measured], reports: dict[str, EvalReport]
) -> tuple[Correlation, ...]:
    """Over the turns of this run, without evaluations after its last one: a rebuilt report is the same."""
    turns = {report.settings.subset for report in reports.values() if report.harness == "calls"}
    rows = ledger.evaluations.find(limit=MOST) if turns else []
    ids = {each.evaluation_id for each in measured}
    end = max((row.evaluated_at for row in rows if row.evaluation_id in ids), default=None)
    by_then = [row for row in rows if end and row.evaluated_at <= end]
    return tuple(each for each in correlations(by_then) if each.turns in turns)


def _facts(result: Result) -> Iterator[str]:
    own = result.plan.options
    chosen = {name: value for name, value in own.model_dump(exclude_defaults=True).items() if value not in ((), None)}
    few = own.bfcl_ids or own.tau2_ids or own.tool_eval_bench_ids
    yield as_table(
        ("", ""),
        [
            ("experiment", result.plan.experiment.name),
            ("run", result.plan.plan_id),
            ("profile", own.profile),
            ("options", ", ".join(f"{name}={value}" for name, value in chosen.items()) or "defaults"),
            (
                "cases",
                "all" if own.subset == "full" and not few else "a few: this tests the pipeline and is not a benchmark",
            ),
        ],
    )
    if any(model and model.base == "scratch" for model in result.models.values()):
        yield (
            "**The model was trained from random weights in minutes, so scores near zero are expected. This run only "
            "shows that the pipeline from documents to scores works.**"
        )
    arms: defaultdict[str, list[str]] = defaultdict(list)
    for arm, model in result.models.items():
        arms[model.model_id if model else arm].append(arm)
    for same in filter(lambda names: len(names) > 1, arms.values()):
        yield f"**{' and '.join(same)} used the same trajectories and are one model: there is nothing to compare.**"


def _training(result: Result) -> str:
    rows: list[tuple[str, ...]] = []
    for arm, model in result.models.items():
        if model is None:
            continue
        found, seen = result.sets.get(arm), model.metrics
        rows.append(
            (
                arm,
                model.model_id,
                found.set_id if found else "-",
                as_number(seen.get("rows"), 0),
                as_number(seen.get("parameters"), 0),
                as_number(seen.get("steps"), 0),
                as_number(seen.get("tokens"), 0),
                as_number(seen.get("loss"), 3),
                as_number(seen.get("validation_loss"), 3),
                as_number(seen.get("train_seconds"), 0),
            )
        )
    head = ("arm", "model", "set", "rows", "parameters", "steps", "tokens", "loss", "validation loss", "seconds")
    return as_table(head, rows)


def _lineage(result: Result) -> str:
    rows = [
        (arm, found.set_id, ", ".join(found.versions), ", ".join(result.lineage[arm]), as_counts(found.counts))
        for arm, found in result.sets.items()
        if found
    ]
    ids = ", ".join(f"{each.arm} {each.harness} `{each.evaluation_id}`" for each in result.measured)
    table = as_table(("arm", "set", "dataset versions", "recipes", "rows"), rows) if rows else "No model was trained."
    return f"{table}\n\nEvaluations: {ids}. Every case with its score is in `raw.json`; recipes name their prompts."
