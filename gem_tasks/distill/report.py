"""One report of one experiment: `report.md` with tables and plots beside `raw.json`, of which all of it is made.

Scores are shown as they are, with their standard errors; what stands beside them from the paper is marked as such and
compared with nothing. A difference between two arms is a paired bootstrap over the same cases.
"""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from pydantic import Field

from gem_tasks.confine.job import Job, SandboxMode
from gem_tasks.confine.launch import started
from gem_tasks.confine.results import require_plain
from gem_tasks.distill.experiment import Plan
from gem_tasks.distill.steps import Measured
from gem_tasks.distill.train import run_folder
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.distill import Model, SftSet
from gem_tasks.domain.evaluation import EvalReport
from gem_tasks.evals.environment import installed, python_of
from gem_tasks.evals.paper import PAPER, Reference
from gem_tasks.evals.stats import paired_bootstrap
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.resources import shipped
from gem_tasks.store import keys

DROP = 0.20
"""A larger loss on another source is flagged."""
_PLOT_LIMIT_S = 300
_MOST_BYTES = 32 << 20
"""Of a plot."""


class Result(Value):
    """Everything a report is made of."""

    plan: Plan
    models: dict[str, Model | None]
    """By arm."""
    sets: dict[str, SftSet | None]
    measured: tuple[Measured, ...]
    reports: dict[str, EvalReport] = Field(default_factory=dict)
    """By the key in the store."""
    lineage: dict[str, list[str]] = Field(default_factory=dict)
    """Recipe ids behind each arm's dataset versions."""


def write(
    work: Workspace, plan: Plan, models: dict[str, Model | None], measured: Sequence[Measured]
) -> tuple[str, Result]:
    """Writes everything into the store and returns where the report is, and what it says."""
    result = _gather(work, plan, models, measured)
    raw = result.model_dump_json(indent=1)
    work.store.put(keys.experiment_key(plan.plan_id, "raw.json"), raw.encode())
    plots = _plots(work, result)
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
            parts += [f"## {_TITLES[harness]}", *_scores(result, rows)]
            parts += _yields(result, rows) if harness == "synthesizer" else []
    parts += _differences(result)
    parts += [f"![{name}]({name}.png)" for name in plots]
    parts += ["## Where the numbers come from", _lineage(result)]
    return "\n\n".join(parts) + "\n"


_TITLES = {"bfcl": "BFCL V3 multi-turn", "tau2": "τ²-bench", "synthesizer": "Synthesizer on held-out texts"}


def _gather(work: Workspace, plan: Plan, models: dict[str, Model | None], measured: Sequence[Measured]) -> Result:
    reports = {each.key: EvalReport.model_validate_json(work.fetch(each.key)) for each in measured}
    found: dict[str, SftSet | None] = {}
    lineage: dict[str, list[str]] = {}
    with work.ledger() as ledger:
        for arm, model in models.items():
            known = ledger.distill.find_sets(model.set_id, limit=1) if model and model.set_id else []
            found[arm] = known[0] if known else None
            recipes = ledger.distill.recipes_of_versions(known[0].versions) if known else []
            lineage[arm] = sorted({each for several in recipes for each in several})
    return Result(plan=plan, models=models, sets=found, measured=tuple(measured), reports=reports, lineage=lineage)


def _facts(result: Result) -> Iterator[str]:
    own = result.plan.options
    chosen = {name: value for name, value in own.model_dump(exclude_defaults=True).items() if value not in ((), None)}
    few = own.bfcl_ids or own.tau2_ids
    yield _table(
        ("", ""),
        [
            ("experiment", result.plan.experiment.name),
            ("run", result.plan.plan_id),
            ("profile", own.profile),
            ("options", ", ".join(f"{name}={value}" for name, value in chosen.items()) or "defaults"),
            ("cases", "all" if own.subset == "full" and not few else "a few: plumbing, not a benchmark"),
        ],
    )
    if any(model and model.base == "scratch" for model in result.models.values()):
        yield (
            "**The model was made from random weights in minutes. Scores near zero are its nature; what this run shows "
            "is that the way from documents to scores works.**"
        )
    arms: defaultdict[str, list[str]] = defaultdict(list)
    for arm, model in result.models.items():
        arms[model.model_id if model else arm].append(arm)
    for same in filter(lambda names: len(names) > 1, arms.values()):
        yield f"**{' and '.join(same)} came to the same trajectories and are one model: nothing is compared here.**"


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
                _number(seen.get("rows"), 0),
                _number(seen.get("parameters"), 0),
                _number(seen.get("steps"), 0),
                _number(seen.get("tokens"), 0),
                _number(seen.get("loss"), 3),
                _number(seen.get("validation_loss"), 3),
                _number(seen.get("train_seconds"), 0),
            )
        )
    head = ("arm", "model", "set", "rows", "parameters", "steps", "tokens", "loss", "validation loss", "seconds")
    return _table(head, rows)


def _scores(result: Result, rows: Sequence[Measured]) -> Iterator[str]:
    first = result.reports[rows[0].key]
    settings = first.settings
    thinking = "the server's default" if settings.thinking is None else settings.thinking
    yield (
        f"{settings.version}; {settings.mode} calls; thinking: {thinking}; seed: {settings.seed}; "
        f"epochs: {settings.epochs}" + (f"; user: {settings.user_model}" if settings.user_model else "")
    )
    columns = [(score.category, score.metric) for score in first.scores]
    table: list[tuple[str, ...]] = []
    for each in rows:
        report = result.reports[each.key]
        values = {(score.category, score.metric): score for score in report.scores}
        cells = (_score(values.get(column)) for column in columns)
        failed = f"{report.errors} of {len(report.cases)}"
        name = f"{each.arm}, {each.label}" if each.label and len(rows) > 1 else each.arm
        table.append((name, *cells, failed, _number(report.seconds, 0)))
    empty = len(columns) + 2
    for reference in _references(result):
        cells = tuple(_reference(reference, *column) for column in columns)
        if any(cell != "-" for cell in cells):
            table.append((f"*paper: {reference.model}*", *cells, *["-"] * (empty - len(cells))))
    head = ("per cent ± standard error", *(f"{category} {metric}" for category, metric in columns))
    yield _table((*head, "failed tries", "seconds"), table)


def _references(result: Result) -> list[Reference]:
    return [row for row in PAPER if row.model in result.plan.experiment.paper]


_PAPER_COLUMNS = {
    ("overall", "accuracy"): "bfcl",
    ("multi_turn_base", "accuracy"): "bfcl_base",
    ("multi_turn_miss_func", "accuracy"): "bfcl_miss_func",
    ("multi_turn_miss_param", "accuracy"): "bfcl_miss_param",
    ("multi_turn_long_context", "accuracy"): "bfcl_long_context",
    ("airline", "avg@4"): "airline_avg4",
    ("airline", "pass@4"): "airline_pass4",
    ("retail", "avg@4"): "retail_avg4",
    ("retail", "pass@4"): "retail_pass4",
}


def _reference(row: Reference, category: str, metric: str) -> str:
    column = _PAPER_COLUMNS.get((category, metric))
    value = getattr(row, column) if column else None
    return "-" if value is None else f"{value:.2f}"


def _yields(result: Result, rows: Sequence[Measured]) -> Iterator[str]:
    yield "### Tokens, time and money for one accepted trajectory"
    table: list[tuple[str, ...]] = []
    shown: set[str] = set()
    for each in rows:
        measures = result.reports[each.key].measures
        for who in ("pipeline", "synthesizer"):
            name = f"{who}, {each.label}" if who == "pipeline" else f"{each.arm}, {each.label}"
            if who in measures and name not in shown:
                shown.add(name)
                table.append((name, *_yield_cells(measures[who])))
    head = (
        "",
        "texts",
        "accepted",
        "share",
        "calls",
        "tokens",
        "tokens / accepted",
        "USD / accepted",
        "mean seconds / text",
    )
    yield _table(head, table)
    yield (
        "The texts are those of published trajectories, so the pipeline accepted all of them by construction; what it "
        "spent on texts that came to nothing is not in its row. A synthesizer has one try and no judge."
    )
    for each in rows:
        reasons = result.reports[each.key].measures.get("reasons")
        if reasons:
            yield f"Why answers of *{each.arm}* ({each.label}) do not count: {_counts(reasons)}."
    yield from _drops(result, rows)


def _yield_cells(found: Json) -> tuple[str, ...]:
    tokens = found["prompt_tokens"] + found["completion_tokens"]
    share = found["accepted"] / found["texts"] if found["texts"] else None
    return (
        _number(found["texts"], 0),
        _number(found["accepted"], 0),
        "-" if share is None else f"{share:.1%}",
        _number(found["calls"], 0),
        _number(tokens, 0),
        _number(found["per_accepted"]["tokens"], 0),
        _number(found["per_accepted"]["usd"], 5),
        _number(found["latency_s"].get("mean"), 2),
    )


def _drops(result: Result, rows: Sequence[Measured]) -> Iterator[str]:
    """For an arm that was measured on several sources: what the first has over the others."""
    for arm in {each.arm: None for each in rows}:
        home, *others = [each for each in rows if each.arm == arm]
        best = result.reports[home.key].score().value
        for other in others:
            value = result.reports[other.key].score().value
            lost = (best - value) / best if best else None
            if lost is None:
                yield f"*{arm}*: nothing is valid on {home.label}, so no drop can be told."
            else:
                flag = f" **More than {DROP:.0%}: it does not carry over.**" if lost > DROP else ""
                yield f"*{arm}*: {home.label} {best:.1%}, {other.label} {value:.1%}: a drop of {lost:.0%}.{flag}"


def _differences(result: Result) -> Iterator[str]:
    """Every pair of arms on the same cases."""
    lines: list[tuple[str, ...]] = []
    by: dict[tuple[str, str], list[Measured]] = {(each.harness, each.label): [] for each in result.measured}
    for each in result.measured:
        by[each.harness, each.label].append(each)
    for (harness, _), rows in by.items():
        for one, other in combinations(rows, 2):
            cases = [result.reports[each.key].cases for each in (one, other)]
            try:
                found = paired_bootstrap(cases[0], cases[1])
            except ValueError as error:
                lines.append((harness, f"{one.arm} → {other.arm}", str(error), "", "", ""))
                continue
            interval = f"{100 * found.low:+.2f} to {100 * found.high:+.2f}"
            clear = "yes" if found.low > 0 or found.high < 0 else "no"
            change = f"{100 * found.mean:+.2f}"
            lines.append((harness, f"{one.arm} → {other.arm}", change, interval, clear, str(found.cases)))
    if lines:
        yield "## Differences"
        yield _table(("harness", "arms", "points", "95 % interval (paired bootstrap)", "clear", "cases"), lines)


def _lineage(result: Result) -> str:
    rows = [
        (arm, found.set_id, ", ".join(found.versions), ", ".join(result.lineage[arm]), _counts(found.counts))
        for arm, found in result.sets.items()
        if found
    ]
    ids = ", ".join(f"{each.arm} {each.harness} `{each.evaluation_id}`" for each in result.measured)
    table = _table(("arm", "set", "dataset versions", "recipes", "rows"), rows) if rows else "Nothing was trained."
    return f"{table}\n\nEvaluations: {ids}. Every case with its score is in `raw.json`; recipes name their prompts."


def _plots(work: Workspace, result: Result) -> list[str]:
    """PNG files beside the report, drawn in the training environment, which has matplotlib."""
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
            "title": f"{_TITLES[each.harness]} {each.label}".strip(),
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
    """Names of what was drawn. The curves are what trainings of foreign weights wrote, so this is confined, too."""
    with started(job, sandbox, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            said = process.communicate(timeout=_PLOT_LIMIT_S)[0]
        except subprocess.TimeoutExpired:
            return []
    return [line for line in said.decode("utf-8", "replace").split() if re.fullmatch(r"[a-z0-9-]{1,60}", line)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _score(score: object) -> str:
    value, error = getattr(score, "value", None), getattr(score, "standard_error", None)
    if value is None:
        return "-"
    return f"{100 * value:.2f}" + (f" ± {100 * error:.2f}" if error is not None else "")


def _number(value: object, digits: int) -> str:
    return f"{float(value):,.{digits}f}" if isinstance(value, int | float) else "-"


def _counts(found: Json) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.items())
