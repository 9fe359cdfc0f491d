"""Tables of evaluations. Names come from endpoints and files, so they are escaped."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal
from gem_tasks.domain.evaluation import EvalReport, Score
from gem_tasks.domain.promotion import Verdict
from gem_tasks.evals.board import Row
from gem_tasks.evals.correlation import Correlation
from gem_tasks.evals.paper import SHOWN
from gem_tasks.evals.stats import most_first
from gem_tasks.lineage import EvaluationRow

_BOARD = (
    "model", "BFCL multi-turn", "base", "miss func", "miss param", "long ctx", "non-live", "live", "hallucination",
    "airline avg@4 / ^4 / @4", "retail avg@4 / ^4 / @4", "banking avg@4 / ^4", "tool-eval-bench / safety",
    "worlds ^1 / ^k", "actions", "where",
)  # fmt: skip


_NOTHING = "-"
_PLAYERS = ("assistant", "user")


def score_table(console: Terminal, report: EvalReport) -> None:
    """Prints scores with standard errors, then settings and faults."""
    table = Table(title=f"{report.harness}: {escape(report.model)}", title_justify="left")
    for column in ("category", "metric", "score", "± standard error", "95 %", "cases"):
        table.add_column(column)
    for score in report.scores:
        cells = (percent(score.value), percent(score.standard_error), _interval(score), str(score.cases))
        table.add_row(score.category, score.metric, *cells, style="bold" if score.category == "overall" else None)
    console.print(table)
    console.print(f"{escape(report.settings.summary)}; {report.seconds:.0f} s", style="dim", highlight=False)
    if report.harness == "synthesizer":
        _yields(console, report)
    if report.harness == "worlds":
        _causes(console, report)
    if report.harness == "calls":
        _actions(console, report)
    if report.harness == "tool-eval-bench":
        _rounds(console, report)
    if report.errors:
        first = next(case.error for case in report.cases if case.error)
        failed = f"{report.errors} of {len(report.cases)} tries failed for reasons outside the model and count as 0"
        console.print(f"[red]{failed}: {escape(first)}[/]", highlight=False)


def case_table(report: EvalReport) -> Table:
    """A row for each try."""
    table = Table()
    for column in ("case", "category", "try", "score", "error"):
        table.add_column(column)
    for case in report.cases:
        error = escape(case.error or "")
        table.add_row(escape(case.case_id), escape(case.category), str(case.epoch), f"{case.score:g}", error)
    return table


def list_table(rows: Sequence[EvaluationRow]) -> Table:
    """A row for each evaluation."""
    table = Table()
    for column in ("evaluation", "at", "harness", "model", "score", "± SE", "made with", "tries", "errors"):
        table.add_column(column)
    for row in rows:
        overall = row.scores[0] if row.scores else {"value": None, "standard_error": None}
        when = f"{row.evaluated_at:%Y-%m-%d %H:%M}"
        cells = (percent(overall["value"]), percent(overall["standard_error"]), escape(row.made))
        model = escape(row.model) + (f" [dim]{row.model_id}[/]" if row.model_id else "")
        table.add_row(row.evaluation_id, when, row.harness, model, *cells, str(row.tries), str(row.errors))
    return table


def comparison(console: Terminal, first: EvalReport, second: EvalReport, verdict: Verdict) -> None:
    """Prints both columns of scores, then the difference on the same cases."""
    table = Table(title=f"{first.harness}", title_justify="left")
    for column in ("category", "metric", escape(first.model), escape(second.model)):
        table.add_column(column)
    theirs = {(score.category, score.metric): score for score in second.scores}
    for score in first.scores:
        other = theirs.get((score.category, score.metric))
        table.add_row(score.category, score.metric, percent(score.value), percent(other.value if other else None))
    console.print(table)
    said = {"promoted": "The second is better", "kept": "The second is not better"}
    console.print(f"{said.get(verdict.outcome, verdict.outcome)}: {escape(verdict.why)}.", highlight=False)
    for each in verdict.differences.values():
        console.print(f"The second was better in {each.better:.1%} of {each.resamples} resamples (seed {each.seed}).")


def board_table(rows: Sequence[Row]) -> Table:
    """Own models, then those of others, which are not comparable; without columns that have no figure."""
    table = Table(caption=f"Per cent. {SHOWN} Compare only rows that were made in the same way.")
    cells = [_board_cells(row) for row in rows]
    shown = [at for at in range(len(_BOARD)) if any(each[at] != _NOTHING for each in cells)]
    for at in shown:
        table.add_column(_BOARD[at])
    for row, each in zip(rows, cells, strict=True):
        table.add_row(*(each[at] for at in shown), style="dim" if row.source else None)
    return table


def _board_cells(row: Row) -> list[str]:
    bfcl = (row.bfcl, row.bfcl_base, row.bfcl_miss_func, row.bfcl_miss_param, row.bfcl_long_context)
    bfcl += (row.bfcl_non_live, row.bfcl_live, row.bfcl_hallucination)
    tau2 = (
        _several(row.airline_avg4, row.airline_every4, row.airline_pass4),
        _several(row.retail_avg4, row.retail_every4, row.retail_pass4),
        _several(row.banking_avg4, row.banking_every4),
    )
    scripted = _several(row.tool_eval_bench, row.tool_eval_bench_safety)
    own = (scripted, _several(row.worlds, row.worlds_every), _number(row.calls))
    cells = [_number(value) for value in bfcl]
    if row.bfcl is not None and row.bfcl_error is not None:
        cells[0] += f" ± {row.bfcl_error:.1f}"
    model = escape(row.model) + (f" [dim]{row.model_id}[/]" if row.model_id else "")
    return [model, *cells, *tau2, *own, escape(row.where if not row.source else f"{row.where}: {row.source}")]


def board_settings(console: Terminal, rows: Sequence[Row]) -> None:
    """How each of our rows was made, harness by harness."""
    for row in rows:
        for harness, how in row.made.items():
            console.print(f"{escape(row.model)}, {harness}: {escape(how)}", style="dim", highlight=False)


def correlation_table(found: Sequence[Correlation]) -> Table:
    """A row for each set of turns and benchmark."""
    table = Table(caption="Spearman's rank correlation over models. It replaces no benchmark.")
    for column in ("turns", "benchmark", "cases", "models", "rho", "95 %"):
        table.add_column(column)
    for each in found:
        low, high = each.interval
        cells = (str(each.models), f"{each.rho:.2f}", f"{low:.2f} to {high:.2f}")
        table.add_row(escape(each.turns), each.harness, escape(each.subset), *cells)
    return table


def percent(value: float | None) -> str:
    """A share in per cent."""
    return "-" if value is None else f"{100 * value:.2f}"


def _interval(score: Score) -> str:
    return "" if score.interval is None else " to ".join(percent(each) for each in score.interval)


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _several(first: float | None, *others: float | None) -> str:
    return _NOTHING if first is None else " / ".join([f"{first:.1f}", *map(_number, others)])


def _causes(console: Terminal, report: EvalReport) -> None:
    """Why goals were missed, means of a try, and cases that do not count."""
    found, means = report.measures, report.measures["means"]
    told = [f"{name.replace('_', ' ')} {count}" for name, count in most_first(found["causes"]).items()]
    console.print(f"Goals missed: {', '.join(told) or 'none'}", highlight=False)
    if means:
        spent = " and ".join(f"{means[f'{who}_completion_tokens']:.0f} tokens of the {who}" for who in _PLAYERS)
        said = f"{means['calls']:.1f} calls, {means['turns']:.1f} messages of the user, {spent}"
        console.print(f"Mean of a try: {said}", highlight=False)
    if refused := found["refused"]:
        case, why = next(iter(refused.items()))
        console.print(f"[yellow]{len(refused)} cases do not count, such as {escape(case)}: {escape(why)}[/]")


def _actions(console: Terminal, report: EvalReport) -> None:
    """Unusable answers, and rows and turns that do not count."""
    found = report.measures
    faults = {**most_first(found["faults"]), "ran on into others' turns": found["ran_on"]}
    told = ", ".join(f"{name} {count}" for name, count in faults.items() if count)
    console.print(f"Unusable answers: {told or 'none'}", highlight=False)
    if left_out := found["left_out"]:
        counts = most_first({reason: each["count"] for reason, each in left_out.items()})
        reasons = ", ".join(f"{reason} {count}" for reason, count in counts.items())
        example = escape(left_out[next(iter(counts))]["examples"][0])
        console.print(f"[yellow]Do not count: {escape(reasons)}; such as {example}[/]", highlight=False)


def _rounds(console: Terminal, report: EvalReport) -> None:
    """What the package says of every round of tries."""
    for number, each in enumerate(report.measures["rounds"], 1):
        console.print(f"Round {number}: final score {each['final_score']}, {escape(each['rating'])}", highlight=False)
        for warning in each["safety_warnings"]:
            console.print(f"[yellow]Safety: {escape(warning)}[/]", highlight=False)


def _yields(console: Terminal, report: EvalReport) -> None:
    table = Table()
    for column in ("", "texts", "valid", "tokens / valid", "USD / valid", "latency p50 / p90 s", "tools", "entropy"):
        table.add_column(column)
    for name in ("synthesizer", "pipeline"):
        if not (row := report.measures.get(name)):
            continue
        each, latency, tools = row["per_accepted"], row["latency_s"], row["diversity"].get("tools", {})
        tokens = "-" if each["tokens"] is None else f"{each['tokens']:.0f}"
        usd = "-" if each["usd"] is None else f"{each['usd']:.5f}"
        seconds = f"{latency['p50']:.2f} / {latency['p90']:.2f}" if latency else "-"
        cells = (str(row["texts"]), str(row["accepted"]), tokens, usd, seconds)
        table.add_row(name, *cells, str(tools.get("distinct", "-")), str(tools.get("entropy_bits", "-")))
    console.print(table)
    reasons = ", ".join(f"{name} {count}" for name, count in most_first(report.measures.get("reasons", {})).items())
    console.print(f"Not valid: {escape(reasons) or 'none'}", highlight=False)
