"""`gem quotas`: what quotas hold, and which share each name has."""

import json
import shlex
from collections import Counter
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.domain.quota import EVERY, Quotas
from gem_tasks.lineage.quotas import Held, Share
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.quota_setting import quotas_of
from gem_tasks.pipeline.quotas import apply_quotas
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

QuotaOption = Annotated[
    list[str] | None,
    typer.Option(
        "--quota",
        help="The most that a domain, platform or task may be of the texts that pass, such as"
        " domain:finance=10%; repeatable. Instead of GEM_QUOTAS.",
    ),
]


def quotas(
    quota: QuotaOption = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Decide again about all held texts; `gem backfill` then runs the released.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Shows what the quotas hold, and the share of each domain, platform and task.

    Texts over a quota wait after the filter, before extraction is paid. A later run of their partition takes those
    for which there is room; --quota none releases all.

    Examples:
        gem quotas
        gem quotas --apply --quota domain:finance=20% --quota "task:*=30%"
        gem quotas --apply --quota none
    """
    work = Workspace.open(load(), options=RunOptions(quotas=tuple(quota or ())))
    recipe, limits = work.chain.id_of("filter"), quotas_of(work.settings)
    with work.ledger() as ledger:
        before = ledger.quotas.held(recipe)
    if apply:
        for partition in sorted({each.partition for each in before}):
            apply_quotas(work, partition)
    with work.ledger() as ledger:
        shares, held = ledger.quotas.shares(recipe), ledger.quotas.held(recipe)
    if as_json:
        found = {"quotas": [str(each) for each in limits.quotas] if limits else []}
        found |= {"shares": [each._asdict() for each in shares], "held": [each._asdict() for each in held]}
        echo_json(json.dumps(found, indent=1))
        return
    console = Terminal(highlight=False)
    if apply:
        _say_released(console, before, held, quota)
    _print(console, limits, shares, held)


def _say_released(console: Terminal, before: list[Held], after: list[Held], quota: list[str] | None) -> None:
    """How many texts `--apply` released, and the command that runs them."""
    released = sum(each.texts for each in before) - sum(each.texts for each in after)
    if released < 1:
        console.print("No text is released.")
        return
    partitions = sorted({each.partition for each in before})
    given = "".join(f" --quota {shlex.quote(each)}" for each in quota or ())
    command = f"gem backfill --from {partitions[0]} --to {partitions[-1]}{given}"
    console.print(f"{released} released. Run them: {command}", markup=False, soft_wrap=True)


def _print(console: Terminal, limits: Quotas | None, shares: list[Share], held: list[Held]) -> None:
    total = next((each for each in shares if each.kind == "total"), None)
    if not total:
        console.print("No text is counted yet: set GEM_QUOTAS, or give `gem run` --quota.")
        return
    limited = {(each.kind, each.name) for each in limits.quotas} if limits else set[tuple[str, str]]()
    table = Table(title=f"{total.passed} texts pass, {total.held} are held", title_justify="left")
    table.add_column("")
    for column in ("quota", "pass", "share", "held"):
        table.add_column(column, justify="right")
    for each in shares:
        own = limits.of(each.kind, each.name) if limits else None
        if each.kind == "total" or not (own or each.held or not limited):
            continue
        bound = str(own).partition("=")[2] + (" each" if own.name == EVERY else "") if own else ""
        share = f"{each.passed / total.passed:.1%}" if total.passed else ""
        table.add_row(escape(f"{each.kind}:{each.name}"), bound, str(each.passed), share, str(each.held))
    console.print(table)
    if held:
        by_quota, where = Counter[str](), sorted({each.partition for each in held})
        for each in held:
            by_quota[each.quota] += each.texts
        named = ", ".join(f"{quota} {texts}" for quota, texts in by_quota.most_common())
        places = where[0] if len(where) == 1 else f"{len(where)} partitions from {where[0]} to {where[-1]}"
        console.print(f"Held in {places}: {named}", markup=False, soft_wrap=True)
        console.print("Decide again: gem quotas --apply    Run the released: gem backfill --quota …", markup=False)
