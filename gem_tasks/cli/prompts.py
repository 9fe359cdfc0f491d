"""`gem prompts`: which prompts are in use, what they were before, and what another one would do."""

import json
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.syntax import Syntax
from rich.table import Table

from gem_tasks.cli.prompt_trial import print_trials
from gem_tasks.cli.terminal import Terminal, echo, echo_exact, echo_json
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import UserError
from gem_tasks.pipeline.prompt_files import check_prompt
from gem_tasks.pipeline.upkeep.trial import Candidate
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts import NAMES, Prompt, load
from gem_tasks.prompts.contract import LARGEST_BYTES
from gem_tasks.settings import load as load_settings
from gem_tasks.stages import stage as stage_named

_SHORT = 12
_SHORTEST = 6
JsonOption = Annotated[bool, typer.Option("--json", help="Print everything as JSON, and nothing else.")]


def register(app: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(help="Prompts: in use, of the past, and on trial. GEM_PROMPTS puts yours in place of ours.")
    group.command("list")(list_prompts)
    group.command("show")(show)
    group.command("diff")(diff)
    group.command("try")(try_prompt)
    app.add_typer(group, name="prompts", no_args_is_help=True)


def list_prompts(as_json: JsonOption = False) -> None:
    """Lists the prompts in use and every earlier version, with first and last use.

    Examples:
        gem prompts list
        gem prompts list --json | jq '.[] | select(.current)'
    """
    work = Workspace.open(load_settings())
    with work.ledger() as ledger:
        known = ledger.prompts.prompt_versions()
    rows = _versions(work, known)
    if as_json:
        echo_json(json.dumps(rows, indent=1))
        return
    table = Table()
    for column in ("prompt", "version", "", "first use", "last use", "recipes"):
        table.add_column(column, justify="right" if column == "recipes" else "left", overflow="fold")
    for row in rows:
        where = (row["origin"] or "ours") if row["current"] else ""
        seen = [(row[name] or "never")[:16].replace("T", " ") for name in ("first_seen_at", "last_used_at")]
        table.add_row(row["name"], row["sha256"][:_SHORT], where, *seen, str(row["recipes"]))
    Terminal(highlight=False).print(table)


def show(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(NAMES)}.")],
    version: Annotated[str | None, typer.Option(help="The hash of an earlier version, or how it begins.")] = None,
    ours: Annotated[bool, typer.Option("--ours", help="The one that comes with GEM.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prints a prompt: the one in use, an earlier one, or ours.

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


def diff(
    a: Annotated[str, typer.Argument(help="A file, a name (the one in use), name@ours, or a version's hash.")],
    b: Annotated[str, typer.Argument(help="The same.")],
    as_json: JsonOption = False,
) -> None:
    """Shows what differs between two prompts.

    Examples:
        gem prompts diff refine@ours refine
        gem prompts diff refine my-prompts/refine.md
        gem prompts diff 3fa9c1 8b02dd
    """
    work = Workspace.open(load_settings())
    (first, one), (second, other) = _named(work, a), _named(work, b)
    lines = list(unified_diff(one.splitlines(), other.splitlines(), first, second, lineterm=""))
    if as_json:
        echo_json(json.dumps({"a": first, "b": second, "same": not lines, "diff": "\n".join(lines)}, indent=1))
    elif lines:
        Terminal(highlight=False).print(Syntax("\n".join(lines), "diff", word_wrap=True, background_color="default"))
    else:
        echo("No difference.")


def try_prompt(
    file: Annotated[Path, typer.Argument(help="The candidate.")],
    stage: Annotated[StageName, typer.Option(help="The stage it is for.")],
    on: Annotated[list[str], typer.Option(help="A segment, document or trajectory; may be given several times.")],
    budget_usd: Annotated[
        float | None, typer.Option(min=0.01, help="Spend no more. Default: GEM_BUDGET_USD, or no limit.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print whole outputs, not their beginnings.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Tries a prompt on stored segments, beside what the current one made of them. Asks the model; writes nothing.

    Examples:
        gem prompts try new/refine.md --stage refine --on 23280dc3f892 --on 91f0aa
        gem prompts try new/filter.md --stage filter --on DOCUMENT --budget-usd 0.50 --json
    """
    work = Workspace.open(load_settings())
    candidate = Candidate(work, stage, check_prompt(stage_named(stage).prompt, _read(file), str(file)), on)
    limit = work.settings.budget_usd if budget_usd is None else budget_usd
    console = Terminal(stderr=True, quiet=as_json, highlight=False)
    most = (
        "no price is known"
        if candidate.most_usd is None
        else f"${candidate.most_usd:.4f} at most for the first answers"
    )
    within = "" if limit is None else f", within a budget of ${limit:.2f}"
    console.print(
        f"Asking {candidate.model} at {candidate.endpoint} about {candidate.segments} segments: {most}{within}"
    )
    with console.status("asking"):
        trials = candidate.run(limit)
    if as_json:
        echo_json(json.dumps([trial.model_dump(mode="json") for trial in trials], ensure_ascii=False, indent=1))
    else:
        print_trials(trials, Terminal(highlight=False), full=full)


def _versions(work: Workspace, known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those in use first, whether a run has used them yet or not."""
    current = {prompt.sha256: prompt for prompt in work.chain.prompts.by_name.values()}
    never = {"first_seen_at": None, "last_used_at": None, "recipes": 0}
    rows = [
        {**row, **{name: row[name].isoformat() if row[name] else None for name in ("first_seen_at", "last_used_at")}}
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
    """Title and text of a file, a prompt in use, ours, or a version."""
    name, _, which = what.partition("@")
    if name in NAMES and which in ("", "ours"):
        prompt = load(name) if which else work.chain.prompts[name]
        return f"{what} ({prompt.sha256[:_SHORT]})", prompt.text
    if Path(what).is_file():
        try:
            return what, _read(Path(what)).decode()
        except UnicodeDecodeError:
            raise UserError(f"{what} is not UTF-8", "Convert it.") from None
    prompt = _stored(work, which or what, name if which else None)
    return f"{prompt.name}@{prompt.sha256[:_SHORT]}", prompt.text


def _stored(work: Workspace, version: str, name: str | None) -> Prompt:
    """A version that a run has used."""
    if len(version) >= _SHORTEST:
        with work.ledger() as ledger:
            found = ledger.prompts.find_prompts(version, name)
        if len(found) == 1:
            return Prompt(name=found[0]["name"], text=found[0]["text"])
        if found:
            raise UserError(f"{version!r} begins several versions", "Give more of the hash.")
    raise UserError(
        f"{version!r} is no version of {name or 'a prompt'}, no file, and no prompt's name",
        f"`gem prompts list` shows versions; {_SHORTEST} characters or more will do.",
    )


def _known(name: str) -> None:
    if name not in NAMES:
        raise UserError(f"There is no prompt {name!r}", f"There are {', '.join(NAMES)}.")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror})", "Correct the path.") from None
