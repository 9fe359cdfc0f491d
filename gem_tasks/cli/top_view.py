"""Draws what `gem top` shows. It fits into 80 columns, and into the height of the terminal as far as it goes."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.top_state import Endpoint, Run, Top
from gem_tasks.domain.pulse import Pulse
from gem_tasks.visible import visible

_REST = 8
"""Lines that everything but shards takes at least."""
_FEW = 5
_WHAT = 34
"""Columns for time, stage and class of an error; the rest is for its text."""
_DAG = "gem_"


def drawn(top: Top, height: int | None = None) -> RenderableType:
    """The picture.

    Args:
        top: what to draw.
        height: lines of the terminal; None shows everything.
    """
    parts: list[RenderableType] = [_head(top), *_unavailable(top)]
    parts.append(_runs(top) if top.runs else _no_run(top))
    if top.endpoints:
        parts.append(_endpoints(top))
    if top.failures:
        parts.append(_failures(top))
    if top.errors:
        parts.append(_errors(top))
    if top.shards:
        taken = len(parts) * 2 + len(top.runs) * 2 + len(top.endpoints) + len(top.errors) + _REST
        parts.insert(-1 if top.errors else len(parts), _shards(top, max(_FEW, height - taken) if height else None))
    return Group(*parts)


def _head(top: Top) -> str:
    rates = f"{sum(each.requests_per_s for each in top.shards):,.1f} requests/s"
    tokens = f"{sum(each.tokens_per_s for each in top.shards):,.0f} tokens/s"
    said = [f"runs {len(top.runs)}", f"shards {len(top.shards)}", f"in flight {top.in_flight}", rates, tokens]
    return f"[bold]{top.at.astimezone():%H:%M:%S}[/]  " + "  ".join(said)


def _unavailable(top: Top) -> Iterator[str]:
    for line in top.unavailable:
        yield f"[red]{escape(visible(line))}[/]"
    if top.silent:
        names = ", ".join(f"{each.stage} {each.shard}" for each in top.silent[:_FEW])
        yield f"[yellow]Silent for a while, perhaps dead: {len(top.silent)} ({escape(visible(names))})[/]"


def _no_run(top: Top) -> str:
    if top.unavailable:
        return "No run is known to be running."
    return "Nothing is running." if top.answered else "Waiting for the first answers."


def _runs(top: Top) -> Table:
    table = _table("run", "now", "done", "rate", "left", "cost", right="rate left cost")
    for run in top.runs:
        name = f"{run.dag.removeprefix(_DAG) or 'synth'} {run.partition or ''}"
        table.add_row(
            escape(visible(name)), escape(_now(run)), _done(run), f"{run.done_per_s:.1f}/s" if run.done_per_s else "",
            _span(run.eta_s), "" if run.usd is None else f"${run.usd:,.2f}",
        )  # fmt: skip
    return table


def _now(run: Run) -> str:
    """The stages that work, or why none does."""
    if run.now_in:
        return ", ".join(run.now_in)
    if run.asks_a_person:
        return "waits for a person"
    found = ", ".join(f"{count} {state}" for state, count in run.tasks.items())
    return found or run.state


def _done(run: Run) -> str:
    """The progress of the stages that work; otherwise of the first with work left, or the last one."""
    unfinished = [name for name, (done, total) in run.stages.items() if done < total]
    names = run.now_in or (unfinished or list(run.stages)[-1:])[:1]
    found = [(run.stages[name], name) for name in names if name in run.stages]
    return "\n".join(
        f"{done:,}/{total:,}" + ("" if run.now_in else f" {escape(name)}") for (done, total), name in found
    )


def _shards(top: Top, most: int | None) -> Table:
    table = _table("shard", "done", "in flight", "req/s", "tok/s", "p50", "p95", "faults", right="in req tok p50 p95")
    shown = top.shards[:most]
    for each in shown:
        table.add_row(
            escape(visible(f"{each.stage} {each.shard}")), f"{each.done:,}/{each.records:,}",
            str(sum(endpoint.in_flight for endpoint in each.endpoints)), f"{each.requests_per_s:.1f}",
            f"{each.tokens_per_s:,.0f}", _seconds(each.latency_s), _seconds(each.slow_s), escape(_faults(each)),
        )  # fmt: skip
    if left := len(top.shards) - len(shown):
        table.add_row(f"… {left} more")
    return table


def _faults(pulse: Pulse) -> str:
    counts: Counter[str] = Counter()
    for each in pulse.endpoints:
        counts.update(each.faults)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _endpoints(top: Top) -> Table:
    table = _table("endpoint", "model", "in flight", "waiting", "faults", "health", right="in waiting faults")
    for each in top.endpoints:
        faults = sum(each.faults.values())
        health = each.health
        colour = "green" if health == "ok" else "yellow" if health == "at its limit" else "red"
        table.add_row(
            escape(visible(each.endpoint)), escape(visible(each.model)), _limit(each), str(each.waiting),
            f"{faults / each.requests:.0%}" if each.requests else "", f"[{colour}]{health}[/]",
        )  # fmt: skip
    return table


def _limit(each: Endpoint) -> str:
    return f"{each.in_flight} of {each.limit}" + (f" (≤ {each.ceiling})" if each.limit < each.ceiling else "")


def _failures(top: Top) -> str:
    counts = (f"{each.segments:,} {each.why or 'failed'} in {each.stage}" for each in top.failures[:_FEW])
    return "[bold]failed[/]  " + escape(visible(", ".join(counts)))


def _errors(top: Top) -> Table:
    table = _table("last errors", "")
    for each in top.errors:
        what = f"{_clock(each.at)} {each.stage} {each.error_class}"
        table.add_row(escape(visible(what)[:_WHAT]), escape(" ".join(visible(each.detail).split())))
    first, detail = table.columns
    first.no_wrap, first.min_width = True, min(_WHAT, max(len(visible(str(cell))) for cell in first.cells))
    detail.no_wrap, detail.overflow = True, "ellipsis"
    return table


def _table(*names: str, right: str = "") -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for name in names:
        aligned = "right" if name and name.split()[0].partition("/")[0] in right.split() else "left"
        table.add_column(name, justify=aligned, overflow="fold")
    return table


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def _span(seconds: float | None) -> str:
    """A time in its two largest units."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
