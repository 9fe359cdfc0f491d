"""`gem plans`: the menus from which the plan of each conversation is drawn, and how conversations keep them."""

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path
from statistics import mean, median
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli import plans_judge
from gem_tasks.cli.terminal import Terminal, echo_exact, echo_json
from gem_tasks.domain.base import Json
from gem_tasks.domain.plan import CHOICES
from gem_tasks.pipeline.plan_file import load_menus, read_menus
from gem_tasks.plans import Menus, clashes, draw
from gem_tasks.settings import load

_DRAWN = 10_000
"""Plans behind the shares of `gem plans check`: none is more than a point off."""
group = typer.Typer(
    help="Prints and checks the menus for plans of conversations, and judges how conversations keep them. Your own"
    " menus: set GEM_PLANS to their file.",
    no_args_is_help=True,
    add_completion=False,
)

group.command("judge")(plans_judge.judge)


@group.command("show")
def show(
    ours: Annotated[bool, typer.Option("--ours", help="Print the menus that come with GEM.")] = False,
) -> None:
    """Prints the menus in use as a file to edit.

    Examples:
        gem plans show > my-plans.yaml
    """
    own = None if ours else load().plans
    if own:
        read_menus(own, "GEM_PLANS: ")
        echo_exact(own.read_text(encoding="utf-8-sig"))
    else:
        echo_exact(files("gem_tasks.plans").joinpath("plans.yaml").read_text(encoding="utf-8"))


@group.command("check")
def check(
    file: Annotated[Path | None, typer.Argument(help="A file with menus. Default: those in use.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the shares as JSON.")] = False,
) -> None:
    """Says what is wrong with a file, or which share of conversations each option gets.

    Examples:
        gem plans check my-plans.yaml
    """
    menus = read_menus(file) if file else load_menus(load())
    shares = _shares(menus)
    if as_json:
        echo_json(json.dumps({"sha256": menus.sha256, **shares}, indent=1))
        return
    table = Table("menu", "options and their shares of conversations")
    for menu, found in shares["shares"].items():
        table.add_row(menu, escape(", ".join(f"{name} {share:.0%}" for name, share in found.items())))
    console = Terminal(highlight=False)
    console.print(table)
    console.print(f"Messages: median {shares['messages']['median']}, mean {shares['messages']['mean']}")
    if shares["clashing"]:
        console.print(
            f"Options that exclude each other are in {shares['clashing']:.1%} of plans: a menu had no other left"
        )


def _shares(menus: Menus) -> Json:
    plans = [draw(menus, number) for number in range(_DRAWN)]
    drawn = {menu: Counter(plan.choices[menu] for plan in plans) for menu in CHOICES}
    drawn["pattern_count"] = Counter(str(len(plan.patterns)) for plan in plans)
    drawn["patterns"] = Counter(name for plan in plans for name in plan.patterns)
    return {
        "shares": {
            menu: {name: round(count / _DRAWN, 3) for name, count in found.most_common()}
            for menu, found in drawn.items()
        },
        "clashing": sum(clashes(menus, plan) for plan in plans) / _DRAWN,
        "messages": _middle([plan.messages for plan in plans]),
        "user_turns": _middle([plan.user_turns for plan in plans]),
    }


def _middle(counts: list[int]) -> dict[str, float]:
    return {"median": median(counts), "mean": round(mean(counts), 1)}
