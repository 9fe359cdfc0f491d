"""`gem prompts`: prompts in use, earlier versions, differences, and trials of new ones."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.syntax import Syntax
from rich.table import Table

from gem_tasks.cli.prompt_trial import print_trials
from gem_tasks.cli.terminal import Terminal, echo, echo_exact, echo_json
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import UserError
from gem_tasks.lineage.prompts import PromptVersion
from gem_tasks.pipeline.prompt_files import check_prompt
from gem_tasks.pipeline.recipes import MENUS
from gem_tasks.pipeline.upkeep.trial import Candidate
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts import NAMES, Prompt, load
from gem_tasks.prompts.changes import changes
from gem_tasks.prompts.contract import LARGEST_BYTES
from gem_tasks.settings import load as load_settings
from gem_tasks.stages import stage as stage_named

_SHORT = 12
_SHORTEST = 6
group = typer.Typer(
    help="Lists, shows, compares and tries prompts. Your own prompts: set GEM_PROMPTS to their folder.",
    no_args_is_help=True,
    add_completion=False,
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


@group.command("list")
def list_prompts(as_json: JsonOption = False) -> None:
    """Lists the prompts in use and all earlier versions, with first and last use.

    Examples:
        gem prompts list
        gem prompts list --json | jq '.[] | select(.current)'
    """
    work = Workspace.open(load_settings())
    with work.ledger() as ledger:
        known = ledger.prompts.versions()
    rows = _versions(work, known)
    if as_json:
        echo_json(json.dumps(rows, indent=1))
        return
    table = Table()
    for column in ("prompt", "version", "", "first use", "last use", "recipes"):
        table.add_column(column, justify="right" if column == "recipes" else "left", overflow="fold")
    for row in rows:
        where = (row["origin"] or "built-in") if row["current"] else ""
        seen = [(row[name] or "never")[:16].replace("T", " ") for name in ("first_seen_at", "last_used_at")]
        table.add_row(row["name"], row["sha256"][:_SHORT], where, *seen, str(row["recipes"]))
    Terminal(highlight=False).print(table)


@group.command("show")
def show(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(NAMES)}.")],
    version: Annotated[str | None, typer.Option(help="Hash of an earlier version, or its first characters.")] = None,
    ours: Annotated[bool, typer.Option("--ours", help="Print the prompt that comes with GEM.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prints a prompt: the one in use, an earlier version, or the one that comes with GEM.

    Examples:
        gem prompts show refine > my-prompts/refine.md
        gem prompts show refine --version 3fa9c1
    """
    _known(name)
    if ours:
        prompt = load(name)
    elif version:
        prompt = _stored(Workspace.open(load_settings()), version, name)
    else:
        prompt = Workspace.open(load_settings()).chain.prompts[name]
    if as_json:
        echo_json(json.dumps({**prompt.model_dump(), "sha256": prompt.sha256}, ensure_ascii=False, indent=1))
    else:
        echo_exact(prompt.text)


@group.command("diff")
def diff(
    a: Annotated[str, typer.Argument(help="A file, a name (in use), name@ours (built-in), or the hash of a version.")],
    b: Annotated[str, typer.Argument(help="Likewise.")],
    as_json: JsonOption = False,
) -> None:
    """Shows the differences between two prompts.

    Examples:
        gem prompts diff refine@ours refine
        gem prompts diff refine my-prompts/refine.md
        gem prompts diff 3fa9c1 8b02dd
    """
    work = Workspace.open(load_settings())
    (first, one), (second, other) = _named(work, a), _named(work, b)
    lines = list(changes(one, other, first, second))
    if as_json:
        echo_json(json.dumps({"a": first, "b": second, "same": not lines, "diff": "\n".join(lines)}, indent=1))
    elif lines:
        Terminal(highlight=False).print(Syntax("\n".join(lines), "diff", word_wrap=True, background_color="default"))
    else:
        echo("No difference.")


@group.command("try")
def try_prompt(
    file: Annotated[Path, typer.Argument(help="File with the candidate prompt.")],
    stage: Annotated[StageName, typer.Option(help="Stage of the prompt.")],
    on: Annotated[list[str], typer.Option(help="A segment, document or trajectory id; repeatable.")],
    budget_usd: Annotated[
        float | None, typer.Option(min=0.01, help="Budget of the trial. Default: GEM_BUDGET_USD, otherwise no limit.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print outputs in full.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Tries a prompt on stored segments and shows the results beside the current ones. Calls the model; writes nothing.

    Examples:
        gem prompts try new/refine.md --stage refine --on 23280dc3f892 --on 91f0aa
        gem prompts try new/filter.md --stage filter --on DOCUMENT --budget-usd 0.50 --json
    """
    work = Workspace.open(load_settings())
    candidate = Candidate(work, stage, check_prompt(stage_named(stage).prompt, _read(file), str(file)), on)
    limit = work.settings.budget_usd if budget_usd is None else budget_usd
    console = Terminal(stderr=True, quiet=as_json, highlight=False)
    most = (
        "the price is unknown"
        if candidate.most_usd is None
        else f"up to ${candidate.most_usd:.4f} for the first answers"
    )
    within = "" if limit is None else f", within a budget of ${limit:.2f}"
    console.print(f"Running {candidate.model} at {candidate.endpoint} on {candidate.segments} segments: {most}{within}")
    with console.status("calling the model"):
        trials = candidate.run(limit)
    if as_json:
        echo_json(json.dumps([trial.model_dump(mode="json") for trial in trials], ensure_ascii=False, indent=1))
    else:
        print_trials(trials, Terminal(highlight=False), full=full)


def _versions(work: Workspace, known: list[PromptVersion]) -> list[dict[str, Any]]:
    """Rows of all versions, those in use first, even if no run has used them yet."""
    menus = Prompt(name=MENUS, text=work.chain.menus.text, origin=str(work.settings.plans or "") or None)
    current = {prompt.sha256: prompt for prompt in (*work.chain.prompts.by_name.values(), menus)}
    never = {"first_seen_at": None, "last_used_at": None, "recipes": 0}
    rows: list[dict[str, Any]] = [
        {
            **row._asdict(),
            "first_seen_at": row.first_seen_at.isoformat(),
            "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
        }
        for row in known
    ]
    seen = {row["sha256"] for row in rows}
    rows += [
        {"name": prompt.name, "sha256": digest, "chars": len(prompt.text), **never}
        for digest, prompt in current.items()
        if digest not in seen
    ]
    found = [
        {
            **row,
            "current": row["sha256"] in current,
            "origin": current[row["sha256"]].origin if row["sha256"] in current else None,
        }
        for row in rows
    ]
    order = {name: position for position, name in enumerate(NAMES)}
    return sorted(found, key=lambda row: (order.get(row["name"], len(order)), not row["current"]))


def _named(work: Workspace, what: str) -> tuple[str, str]:
    """Title and text of a file, a prompt in use, a built-in prompt, or a version."""
    name, _, which = what.partition("@")
    if name in NAMES and which in ("", "ours"):
        prompt = load(name) if which else work.chain.prompts[name]
        return f"{what} ({prompt.sha256[:_SHORT]})", prompt.text
    if Path(what).is_file():
        try:
            return what, _read(Path(what)).decode()
        except UnicodeDecodeError:
            raise UserError(f"{what} is not UTF-8", "Convert it to UTF-8.") from None
    prompt = _stored(work, which or what, name if which else None)
    return f"{prompt.name}@{prompt.sha256[:_SHORT]}", prompt.text


def _stored(work: Workspace, version: str, name: str | None) -> Prompt:
    """A stored version, which a run has used."""
    if len(version) >= _SHORTEST:
        with work.ledger() as ledger:
            found = ledger.prompts.find(version, name)
        if len(found) == 1:
            return Prompt(name=found[0].name, text=found[0].text)
        if found:
            raise UserError(f"Several versions start with {version!r}", "Give more characters of the hash.")
    raise UserError(
        f"{version!r} is neither a version of {name or 'a prompt'}, nor a file, nor the name of a prompt",
        f"`gem prompts list` shows the versions; give at least {_SHORTEST} characters.",
    )


def _known(name: str) -> None:
    if name not in NAMES:
        raise UserError(f"There is no prompt {name!r}", f"Choose one of: {', '.join(NAMES)}.")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror})", "Correct the path.") from None
