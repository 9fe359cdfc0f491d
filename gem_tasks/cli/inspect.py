"""`gem show` and `gem lineage`: a trajectory as a conversation, and the history of a document or model."""

import json
from shlex import quote
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.tree import Tree

from gem_tasks.cli.origin import model_origin, origin_tree
from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.dataset.export import trajectory
from gem_tasks.domain.indented import indented
from gem_tasks.domain.take import FIRST, Take
from gem_tasks.errors import UserError
from gem_tasks.lineage.reports import DocumentLineage, RecordedOutcome
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load
from gem_tasks.visible import visible, visible_lines

_COLOURS = {"system": "magenta", "user": "green", "assistant": "cyan", "tool": "yellow"}


def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A trajectory id, or its first characters.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the exported object as JSON.")] = False,
) -> None:
    """Shows one trajectory as a conversation.

    Examples:
        gem show 3f9a1c
        gem show 3f9a1c --json | jq .tools
    """
    work = Workspace.open(load())
    found = trajectory(work, id_)
    if as_json:
        echo_json(json.dumps(found, ensure_ascii=False, indent=1))
        return
    console = Terminal()
    _head(console, found["metadata"])
    _people(console, work, found["metadata"]["trajectory_id"])
    _apis(console, work, found["metadata"]["trajectory_id"])
    for tool in found["tools"]:
        function = tool["function"]
        arguments = ", ".join(function["parameters"].get("properties", {}))
        console.print(
            f"[bold]{escape(function['name'])}[/]({escape(arguments)}) [dim]{escape(function['description'])}[/]"
        )
    for message in found["messages"]:
        _message(console, message)


def _head(console: Terminal, metadata: dict[str, Any]) -> None:
    console.print(
        f"[bold]Trajectory {metadata['trajectory_id']}[/] from {escape(visible(str(metadata['document_uri'])))}"
        + (f", {escape(visible(str(metadata['place'])))}" if metadata.get("place") else "")
    )
    kind = f"{metadata['platform']}, {metadata['task_category']}, {', '.join(metadata['domain'])}"
    if metadata.get("revised"):
        console.print(f"Rejected at first, then revised: see `gem lineage {metadata['trajectory_id']}`")
    models = ", ".join(sorted(set(metadata["teacher"].values())))
    by = "a synthesizer in one call: " if metadata.get("made_by") == "synthesizer" else ""
    console.print(f"{escape(kind)}; {_licence(metadata['license'])}; made by {by}{escape(models)}")
    take = Take(workflow=metadata.get("workflow", 0), rollout=metadata.get("rollout", 0))
    if metadata.get("verified") == "executed":
        console.print(
            f"Executed in world {metadata['world']}: {take.in_world}, variant {escape(visible(metadata['variant']))},"
            f" seed {metadata['seed']}"
        )
        console.print(f"Act in it:     gem world serve {metadata['world']} {_scene(metadata)}", soft_wrap=True)
        console.print("Replay it:     gem export --out data; gem check --replay data/trajectories.jsonl")
    elif take != FIRST:
        console.print(f"Another conversation of the same text: {take}")
    if plan := metadata.get("plan"):
        drawn = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in plan.items() if value != "")
        console.print(f"[dim]Plan: {escape(visible(drawn))}[/]")
    console.print()


def _scene(metadata: dict[str, Any]) -> str:
    """The options of `gem world serve` that let the same happen."""
    variant = escape(quote(visible(metadata["variant"])))
    return f"--task {metadata['task']} --variant {variant} --seed {metadata['seed']}"


def _licence(name: str | None) -> str:
    return f"licence {escape(visible(name or 'unknown'))}"


def _people(console: Terminal, work: Workspace, trajectory_id: str) -> None:
    """What people said about it, before the conversation."""
    with work.ledger() as ledger:
        changes = ledger.changes.listed(trajectory_id)
    for each in reversed(changes):
        if each.kind != "undo" and each.state in ("waiting", "published"):
            place = "" if each.message is None else f" on message {each.message}"
            said = f"{each.kind}{place} by {each.author} ({each.state}): {each.words}"
            console.print(f"[yellow]{escape(visible(said))}[/]")


def _apis(console: Terminal, work: Workspace, trajectory_id: str) -> None:
    """What live APIs want from its tools."""
    with work.ledger() as ledger:
        found = ledger.api_findings.of(trajectory_id)
    for each in found:
        calls = f" ({each.calls} calls)" if each.calls else ""
        said = f"{each.api} ({each.mode}), {each.tool}: {each.kind}{calls}: {each.detail}"
        console.print(f"[yellow]{escape(visible(said))}[/]")


def _message(console: Terminal, message: dict[str, Any]) -> None:
    """Prints a message; markup in texts of documents and models is escaped."""
    role = message["role"]
    console.print(f"\n[bold {_COLOURS[role]}]{role}[/]")
    if thought := message.get("reasoning_content"):
        console.print(f"[dim italic]Thinks: {escape(visible_lines(thought))}[/]")
    if message["content"]:
        if role == "tool":
            console.print(_pretty(message["content"]))
        else:
            console.print(Panel(escape(message["content"]), border_style=_COLOURS[role]))
    for call in message.get("tool_calls", []):
        function = call["function"]
        console.print(f"[bold]→ {escape(function['name'])}[/]", _pretty(function["arguments"]))


def _pretty(text: str) -> Syntax | str:
    try:
        return Syntax(indented(json.loads(text), 1), "json", word_wrap=True)
    except (ValueError, RecursionError):
        return escape(text)


def lineage(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="A trajectory, segment, document or model id, or a document's URI.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Shows the history of a document: its segments, the outcome of each stage, and the trajectories.

    For a model: the dataset versions, recipes, prompts and documents it was trained on, its evaluations, and decisions.

    Examples:
        gem lineage file:///home/me/manuals/returns.md
        gem lineage 3f9a1c --json | jq '.segments[].outcomes'
    """
    work = Workspace.open(load())
    with work.ledger() as ledger:
        found = ledger.reports.lineage(id_)
        origin = None if found else model_origin(ledger, id_)
    if origin:
        text = json.dumps(origin.model_dump(mode="json"), indent=1)
        echo_json(text) if as_json else Terminal().print(origin_tree(origin))
        return
    if found is None:
        raise UserError(
            f"Nothing is known as {id_!r}", "Find ids in the summary of `gem run`, in exports, or in the Airflow logs."
        )
    if as_json:
        echo_json(json.dumps(found.model_dump(), ensure_ascii=False, indent=1, default=str))
    else:
        Terminal().print(_tree(found))


def _tree(document: DocumentLineage) -> Tree:
    state = f"[red]{document.reason}[/] {escape(document.detail)}" if document.reason else "ingested"
    tree = Tree(f"[bold]document {document.document_id}[/] {escape(visible(document.uri))}: {state}{_end(document)}")
    tree.add(
        f"{_licence(document.license)}, language {document.language or 'unknown'}, {document.chars or 0} characters"
    )
    for segment in document.segments:
        span = f"characters {segment.start_char} to {segment.end_char}"
        span += f", {escape(visible(segment.place))}" if segment.place else ""
        branch = tree.add(f"segment {segment.segment_id}: {span}, {segment.partition_key} shard {segment.shard}")
        for outcome in segment.outcomes:
            branch.add(_outcome(outcome))
        for trajectory_ in segment.trajectories:
            take = Take(workflow=trajectory_.workflow, rollout=trajectory_.rollout)
            made = f"{trajectory_.dataset_version}{_which(take, trajectory_.stage)}"
            branch.add(f"[green]trajectory {trajectory_.trajectory_id}[/] in {made}")
        for wanted in segment.api_findings:
            said = f"{wanted.api} ({wanted.mode}), {wanted.tool}: {wanted.kind}: {wanted.detail}"
            branch.add(f"[yellow]{escape(visible(said))}[/] [dim]({wanted.trajectory_id}, {wanted.calls} calls)[/]")
    return tree


def _end(document: DocumentLineage) -> str:
    if document.superseded_by:
        return f", [yellow]superseded[/] by document {document.superseded_by}"
    return f", [yellow]gone[/] since {document.gone_at:%Y-%m-%d %H:%M} UTC" if document.gone_at else ""


def _which(take: Take, stage: str) -> str:
    return f", {words}" if (words := take.at(stage)) else ""


def _outcome(outcome: RecordedOutcome) -> str:
    why = f" {escape(word)}" if (word := outcome.reason or outcome.error_class) else ""
    detail = f" {escape(outcome.detail)}" if outcome.detail else ""
    calls = f"{outcome.calls} {'call' if outcome.calls == 1 else 'calls'}"
    made = f"recipe {outcome.recipe_id}, model {escape(str(outcome.model))}, {calls}"
    task = f"{outcome.airflow_task_id}[{outcome.airflow_map_index}] of {outcome.airflow_run_id}"
    take = _which(Take(workflow=outcome.workflow, rollout=outcome.rollout), outcome.stage)
    return f"[bold]{outcome.stage}[/]{take} {outcome.outcome}{why}{detail} [dim]({made}; {escape(task)})[/]"
