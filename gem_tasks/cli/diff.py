"""`gem diff`: compares two recipes, and their results on the same segments."""

import json
from typing import Annotated, Any

import typer
from rich.syntax import Syntax
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.domain.interval import mean_margin, paired_difference, wilson
from gem_tasks.errors import UserError
from gem_tasks.lineage.compare import Compared, Means
from gem_tasks.pipeline.rebuild.compare import Comparison, Effect, compare
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def diff(
    a: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE", help="An id, its first characters, or a stage (its current recipe)."),
    ] = None,
    b: Annotated[str | None, typer.Argument(metavar="RECIPE", help="The recipe to compare it with.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False,
) -> None:
    """Compares two recipes of a stage: prompts, models, code, and the effect on yield, sizes, findings and cost.

    Counts only segments with a result under both. Without arguments, lists all recipes that were ever used.

    Examples:
        gem diff
        gem diff 3f9a1c 77b0d2
        gem diff 3f9a1c refine --json     (against the current recipe of refine)
    """
    work = Workspace.open(load())
    if a is None:
        _list(work, as_json)
        return
    if b is None:
        raise UserError("The second recipe is missing", f"Give one, such as: gem diff {a} refine")
    found = compare(work, a, b)
    if as_json:
        echo_json(json.dumps(_plain(found), indent=1))
    else:
        _print(found, Terminal(highlight=False))


def _plain(found: Comparison) -> dict[str, Any]:
    plain = found.model_dump(mode="json")
    for effect, each in zip(plain["effects"], found.effects, strict=True):
        effect["found"] |= {"intervals": _intervals(each.found)}
    return plain


def _intervals(found: Compared) -> dict[str, Any]:
    """95 % intervals of the yields and of their difference, in shares."""
    difference, low, high = paired_difference(found.only_a, found.only_b, found.segments)
    return {
        "yield_a": [found.accepted_a / found.segments, *wilson(found.accepted_a, found.segments)],
        "yield_b": [found.accepted_b / found.segments, *wilson(found.accepted_b, found.segments)],
        "difference": [difference, low, high],
        "sizes": {size.name: [size.b - size.a, mean_margin(size.spread, size.pairs)] for size in found.sizes},
    }


def _print(found: Comparison, console: Terminal) -> None:
    console.print(f"A {found.recipe_a}, B {found.recipe_b}, of {found.stage}")
    if not found.differences:
        console.print("They are the same recipe.")
    for each in found.differences:
        for name, (before, after) in each.fields.items():
            console.print(f"{each.stage}: {name} {before} → {after}", markup=False)
        if each.prompt:
            console.print(Syntax(each.prompt, "diff", background_color="default", word_wrap=True))
    if found.differences and not found.effects:
        console.print("No segment has a result under both yet. Compute some with `gem backfill --prompt` or `--model`.")
    for effect in found.effects:
        console.print(_effect(effect))
        if effect.found.reasons:
            console.print(_reasons(effect))


def _effect(effect: Effect) -> Table:
    found = effect.found
    table = Table(title=f"{effect.stage}: the same {found.segments:,} segments under both", title_justify="left")
    for column, justify in (("", "left"), ("A", "right"), ("B", "right"), ("B − A (95 % interval)", "right")):
        table.add_column(column, justify=justify)  # pyright: ignore[reportArgumentType]
    numbers = _intervals(found)
    difference, low, high = numbers["difference"]
    shares = (f"{share:.1%} [{a:.1%}, {b:.1%}]" for share, a, b in (numbers["yield_a"], numbers["yield_b"]))
    table.add_row("accepted", *shares, f"{difference:+.1%} [{low:+.1%}, {high:+.1%}]")
    for size in found.sizes:
        margin = mean_margin(size.spread, size.pairs)
        interval = "" if margin is None else f" ± {margin:.1f}"
        table.add_row(size.name, f"{size.a:.1f}", f"{size.b:.1f}", f"{size.b - size.a:+.1f}{interval}")
    if found.a and found.b:
        for name in Means.model_fields:
            table.add_row(*_mean(name, getattr(found.a, name), getattr(found.b, name)))
    return table


def _mean(name: str, a: float | None, b: float | None) -> tuple[str, ...]:
    label = {"calls": "LLM calls", "latency_ms": "latency (s)", "usd": "USD"}.get(name, name.replace("_", " "))
    scale, digits = {"latency_ms": (0.001, 1), "usd": (1.0, 5), "calls": (1.0, 2)}.get(name, (1.0, 0))
    if a is None or b is None:
        return (
            f"{label} per segment",
            *("?" if each is None else f"{each * scale:,.{digits}f}" for each in (a, b)),
            "?",
        )
    cells = (f"{each * scale:,.{digits}f}" for each in (a, b))
    change = f" ({b / a - 1:+.0%})" if a else ""
    return (f"{label} per segment", *cells, f"{(b - a) * scale:+,.{digits}f}{change}")


def _reasons(effect: Effect) -> Table:
    table = Table(title=f"{effect.stage}: rejections by reason, check or rule of the judge", title_justify="left")
    for column in ("", "A", "B"):
        table.add_column(column, justify="right" if column else "left")
    for why, counts in effect.found.reasons.items():
        table.add_row(why, *map(str, counts))
    return table


def _list(work: Workspace, as_json: bool) -> None:
    with work.ledger() as ledger:
        used = ledger.comparisons.recipes_used()
    current = set(work.every_recipe_id())
    if as_json:
        rows = [
            {"recipe_id": key, "current": key in current, **each.model_dump(mode="json")} for key, each in used.items()
        ]
        echo_json(json.dumps(rows, indent=1))
        return
    table = Table(title="Recipes, newest first; * marks current ones")
    for column in ("recipe", "stage", "model", "code", "prompt", "first used", "results"):
        table.add_column(column, no_wrap=column == "recipe")
    for key, each in used.items():
        recipe = each.recipe
        table.add_row(
            key + (" *" if key in current else ""), recipe.stage, recipe.model or "", str(recipe.version),
            (recipe.prompt_sha256 or "")[:12], f"{each.first_seen_at:%Y-%m-%d %H:%M}", f"{each.results:,}",
        )  # fmt: skip
    Terminal(highlight=False).print(table)
