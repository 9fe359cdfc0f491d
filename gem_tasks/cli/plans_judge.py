"""`gem plans judge`: what conversations really are, beside what their plans asked for."""

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.dataset.card import kept_words, spread
from gem_tasks.dataset.judged import Judgement, judge_version
from gem_tasks.dataset.plan_judge import JudgeReport
from gem_tasks.domain.base import Json
from gem_tasks.domain.realised import Realised, Share
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def judge(
    version: Annotated[str | None, typer.Argument(help="A dataset version. Default: the newest.")] = None,
    sample: Annotated[int, typer.Option(min=1, help="Ask about up to N conversations, one call each.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed draws the same conversations.")] = 0,
    budget_usd: Annotated[
        float | None, typer.Option(min=0.01, help="Stop before it costs more. Default: GEM_BUDGET_USD.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Says what conversations of a version really are: how many keep their plans, and how often each option occurs.

    Code counts what it can tell for certain, in all conversations. The model of `validate` reads a sample without
    their plans and says the rest. The result stands in the manifest, on the card and on the dataset's page, and the
    gate policy's [diversity] is applied. Answers are kept: the same command again asks only for missing ones.

    Examples:
        gem plans judge
        gem plans judge --sample 30 --budget-usd 1
        gem plans judge 20260131T1400-1a2b3c4d --json
    """
    work = Workspace.open(load())
    found = judge_version(work, version or _newest(work), sample, seed, budget_usd)
    if as_json:
        beside = {"version": found.version, "gate": found.decision.model_dump(mode="json")}
        shares = {name: _plain(share) for name, share in found.report.realised.headlines.items()}
        echo_json(json.dumps({**beside, "headlines": shares, **found.report.model_dump(mode="json")}, indent=1))
        return
    _print(Terminal(highlight=False), found)


def _newest(work: Workspace) -> str:
    with work.ledger() as ledger:
        found = ledger.datasets.current()
    if not found:
        raise UserError("There are no published trajectories", "Make some with `gem run SOURCE`.")
    return max(found)


def _plain(share: Share) -> Json:
    return {"share": share.share, "low": share.interval[0], "high": share.interval[1], "of": share.of}


def _print(console: Terminal, found: Judgement) -> None:
    real = found.report.realised
    console.print(f"Dataset {found.version}: {real.conversations} conversations", markup=False)
    table = Table("in conversations")
    for column in ("share", "95 %", "of"):
        table.add_column(column, justify="right")
    for name, share in real.headlines.items():
        table.add_row(name.replace("_", " "), f"{share.share or 0:.0%}", spread(share.interval), str(share.of))
    console.print(table)
    for name, (planned, real_mean) in real.means.items():
        console.print(f"{name.replace('_', ' ')}: {planned} planned, {real_mean} real on average", markup=False)
    console.print(_options(real))
    for line in _asked(found.report):
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"Gate: {found.decision.action}, {found.decision.reason}", markup=False, soft_wrap=True)


def _options(real: Realised) -> Table:
    table = Table("menu", "option", title="Planned and real, by option", title_justify="left")
    for column in ("planned", "real"):
        table.add_column(column, justify="right")
    table.add_column("kept by (95 %)")
    for menu, options in real.menus.items():
        for number, (option, kept) in enumerate(options.items()):
            name = "" if number else escape(menu)
            table.add_row(name, escape(option), str(kept.planned), str(kept.realised), kept_words(kept))
    return table


def _asked(report: JudgeReport) -> list[str]:
    real = report.realised
    if real.not_judged:
        lines = [f"Not judged: {real.not_judged}"]
    else:
        lines = [f"{real.judge['model']} judged {real.judged} of {report.sampled} conversations, without their plans"]
    if report.calls:
        cost = "" if report.usd is None else f", ${report.usd:.4f}"
        lines.append(f"{report.calls} calls{cost}; {report.known} answers were there already")
    if real.unreadable:
        lines.append("Answers that do not count: " + ", ".join(f"{name} {n}" for name, n in real.unreadable.items()))
    if report.failed:
        lines.append(f"{report.failed} without an answer ({report.error}): the same command asks again")
    if report.unaffordable:
        lines.append(f"{report.unaffordable} not asked, because the budget was spent")
    return lines
