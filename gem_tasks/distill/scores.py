"""The report's sections with scores, yields and differences between arms."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from gem_tasks.distill.markdown import as_counts, as_number, as_score, as_table
from gem_tasks.distill.result import Result
from gem_tasks.distill.steps import Measured
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import OVERALL, Score
from gem_tasks.evals.correlation import BENCHMARKS, FEWEST
from gem_tasks.evals.pairs import difference
from gem_tasks.evals.paper import PAPER, SHOWN, Reference
from gem_tasks.evals.stats import most_first

_CATEGORIES = {
    "worlds": {OVERALL}, "calls": {OVERALL, "call", "speak"}, "tool-eval-bench": {OVERALL, "safety_and_boundaries"},
}  # fmt: skip
"""Categories in the table, if not all: the evaluation has the others."""
_EVERY_K = ("tau2", "tool-eval-bench")
"""Harnesses whose pass^1 to pass^k have a separate table."""
DROP = 0.20
"""A larger loss on another source is flagged."""


def score_section(result: Result, rows: Sequence[Measured]) -> Iterator[str]:
    """The settings of a harness, and a row for each arm and each model of the paper."""
    first = result.reports[rows[0].key]
    yield first.settings.summary
    last = f"pass^{first.settings.epochs}"
    shown = [
        score
        for score in first.scores
        if score.category in _CATEGORIES.get(first.harness, {score.category})
        and (first.harness not in _EVERY_K or "^" not in score.metric or score.metric == last)
    ]
    columns = [(score.category, score.metric) for score in shown]
    table: list[tuple[str, ...]] = []
    for each in rows:
        report = result.reports[each.key]
        values = {(score.category, score.metric): score for score in report.scores}
        cells = (as_score(values.get(column)) for column in columns)
        failed = f"{report.errors} of {len(report.cases)}"
        name = f"{each.arm}, {each.label}" if each.label and len(rows) > 1 else each.arm
        table.append((name, *cells, failed, as_number(report.seconds, 0)))
    empty = len(columns) + 2
    for reference in _references(result):
        cells = tuple(_reference(reference, *column) for column in columns)
        if any(cell != "-" for cell in cells):
            table.append((f"*paper: {reference.model}*", *cells, *["-"] * (empty - len(cells))))
    head = ("per cent ± standard error", *(f"{category} {metric}" for category, metric in columns))
    yield as_table((*head, "failed tries", "seconds"), table)
    if first.harness in _EVERY_K:
        yield from _every_k(result, rows)
    if _references(result):
        yield SHOWN


def _every_k(result: Result, rows: Sequence[Measured]) -> Iterator[str]:
    """pass^1 to pass^k over all cases, with intervals."""
    found = {each.arm: [s for s in result.reports[each.key].scores if "^" in s.metric] for each in rows}
    metrics = list(dict.fromkeys(score.metric for scores in found.values() for score in scores))
    table = [
        (arm, *(_with_interval({s.metric: s for s in scores if s.category == OVERALL}.get(m)) for m in metrics))
        for arm, scores in found.items()
    ]
    yield as_table(("per cent, 95 % interval", *metrics), table)


def _with_interval(score: Score | None) -> str:
    if score is None:
        return "-"
    if score.interval is None:
        return f"{100 * score.value:.2f}"
    low, high = score.interval
    return f"{100 * score.value:.2f} [{100 * low:.1f}, {100 * high:.1f}]"


def _references(result: Result) -> list[Reference]:
    return [row for row in PAPER if row.model in result.plan.experiment.paper]


_PAPER_COLUMNS = {
    ("overall", "accuracy"): "bfcl",
    ("multi_turn", "accuracy"): "bfcl",
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


def yield_section(result: Result, rows: Sequence[Measured]) -> Iterator[str]:
    """Yield and cost of synthesizers, next to the pipeline's."""
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
    yield as_table(head, table)
    yield (
        "The texts are those of published trajectories, so the pipeline accepted all of them by construction; what it "
        "spent on other texts is not in its row. A synthesizer has one try and no judge."
    )
    for each in rows:
        reasons = result.reports[each.key].measures.get("reasons")
        if reasons:
            yield f"Why answers of *{each.arm}* ({each.label}) do not count: {as_counts(most_first(reasons))}."
    yield from _drops(result, rows)


def _yield_cells(found: Json) -> tuple[str, ...]:
    tokens = found["prompt_tokens"] + found["completion_tokens"]
    share = found["accepted"] / found["texts"] if found["texts"] else None
    return (
        as_number(found["texts"], 0),
        as_number(found["accepted"], 0),
        "-" if share is None else f"{share:.1%}",
        as_number(found["calls"], 0),
        as_number(tokens, 0),
        as_number(found["per_accepted"]["tokens"], 0),
        as_number(found["per_accepted"]["usd"], 5),
        as_number(found["latency_s"].get("mean"), 2),
    )


def _drops(result: Result, rows: Sequence[Measured]) -> Iterator[str]:
    """For an arm that was measured on several sources: the drop from the first source to the others."""
    for arm in {each.arm: None for each in rows}:
        home, *others = [each for each in rows if each.arm == arm]
        best = result.reports[home.key].score().value
        for other in others:
            value = result.reports[other.key].score().value
            lost = (best - value) / best if best else None
            if lost is None:
                yield f"*{arm}*: no trajectory is valid on {home.label}, so the drop is unknown."
            else:
                flag = f" **More than {DROP:.0%}: it does not carry over.**" if lost > DROP else ""
                yield f"*{arm}*: {home.label} {best:.1%}, {other.label} {value:.1%}: a drop of {lost:.0%}.{flag}"


def difference_section(result: Result) -> Iterator[str]:
    """Every pair of arms on the same cases."""
    lines: list[tuple[str, ...]] = []
    by: dict[tuple[str, str], list[Measured]] = {(each.harness, each.label): [] for each in result.measured}
    for each in result.measured:
        by[each.harness, each.label].append(each)
    for (harness, _), rows in by.items():
        for one, other in combinations(rows, 2):
            try:
                found = difference(result.reports[one.key], result.reports[other.key])
            except ValueError as error:
                lines.append((harness, f"{one.arm} → {other.arm}", str(error), "", "", ""))
                continue
            interval = f"{100 * found.low:+.2f} to {100 * found.high:+.2f}"
            clear = "yes" if found.low > 0 or found.high < 0 else "no"
            change = f"{100 * found.mean:+.2f}"
            lines.append((harness, f"{one.arm} → {other.arm}", change, interval, clear, str(found.cases)))
    if lines:
        yield "## Differences"
        yield as_table(("harness", "arms", "points", "95 % interval (paired bootstrap)", "clear", "cases"), lines)


def correlation_section(result: Result) -> Iterator[str]:
    """Whether next actions rank models as the benchmarks do, if the run has both."""
    ran = {each.harness for each in result.measured}
    if "calls" not in ran or not ran & set(BENCHMARKS):
        return
    yield "## Next actions beside the benchmarks"
    if not result.correlations:
        yield f"No correlation is known: it takes {FEWEST} models with different scores in both, on the same cases."
        return
    lines = [
        (
            each.harness,
            each.subset,
            str(each.models),
            f"{each.rho:+.2f}",
            " to ".join(f"{end:+.2f}" for end in each.interval),
        )
        for each in result.correlations
    ]
    yield as_table(("benchmark", "cases", "models", "Spearman's rho", "95 % interval"), lines)
    yield "Over all models in the lineage that had these turns when this run ended. It replaces no benchmark."
