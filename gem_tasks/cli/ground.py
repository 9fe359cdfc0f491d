"""`gem ground-api`: tests synthesized calls against a real API."""

import asyncio
import re
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.errors import UserError
from gem_tasks.live_apis.load import from_file, from_store
from gem_tasks.live_apis.match import THRESHOLD
from gem_tasks.live_apis.mcp_server import McpApi
from gem_tasks.live_apis.openapi import HttpApi, read_spec
from gem_tasks.live_apis.run import Report, Sample, draw, ground
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings, load

_TIMEOUT_S = 30.0
_SHOWN = 15


def ground_api(
    spec: Annotated[
        Path | None, typer.Option(help="OpenAPI 3 document, JSON or YAML.", exists=True, dir_okay=False)
    ] = None,
    mcp: Annotated[str | None, typer.Option(help="An MCP server: its URL, or a command that starts one.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of the API; no other address is called.")] = None,
    mode: Annotated[
        str, typer.Option(help="`dry-run` checks arguments; `sandbox` makes the calls, including writes.")
    ] = ("dry-run"),
    source: Annotated[
        Path | None, typer.Option("--from", help="A trajectories.jsonl. Default: published trajectories.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="Number of random trajectories.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed draws the same sample.")] = 0,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Minimum similarity for mapping a tool.")] = THRESHOLD,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON: every match and call.")] = False,
) -> None:
    """Maps the tools of sampled trajectories to operations of a real API, and checks or makes the calls.

    The API key is read from GEM_GROUND_API_KEY and sent as a bearer token.

    Examples:
        gem ground-api --spec openapi.json --sample 50
        gem ground-api --spec openapi.json --base-url http://127.0.0.1:9000 --mode sandbox
        gem ground-api --mcp "python -m my_server" --mode sandbox --from data/trajectories.jsonl
    """
    if (spec is None) == (mcp is None):
        raise UserError("Exactly one API is needed", "Give either --spec FILE or --mcp URL-or-command.")
    if mode not in ("dry-run", "sandbox"):
        raise UserError(f"--mode {mode!r} is unknown", "Choose dry-run or sandbox.")
    if spec and mode == "sandbox" and base_url is None:
        raise UserError(
            "The sandbox mode needs an address", "Give --base-url; servers named in the document are not trusted."
        )
    settings = load()
    rows = from_file(source) if source else from_store(Workspace.open(settings))
    drawn = draw(rows, sample, seed)
    if not drawn:
        raise UserError("There are no trajectories", "Publish some with `gem run SOURCE`, or name a file with --from.")
    report, unusable = asyncio.run(_ground(settings, drawn, spec, mcp, base_url, mode == "sandbox", threshold))
    if as_json:
        echo_json(report.model_dump_json(indent=1))
    else:
        _show(Terminal(), report, unusable)


async def _ground(
    settings: Settings,
    drawn: Sample,
    spec: Path | None,
    mcp: str | None,
    base_url: str | None,
    live: bool,
    threshold: float,
) -> tuple[Report, dict[str, str]]:
    async with AsyncExitStack() as stack:
        if mcp is not None:
            server = await stack.enter_async_context(McpApi(mcp, _TIMEOUT_S))
            return await ground(drawn, server.operations, server.call if live else None, threshold), {}
        assert spec  # noqa: S101 - checked by the caller
        operations, unusable = read_spec(spec)
        if not live:
            return await ground(drawn, operations, None, threshold), unusable
        key = settings.ground_api_key.get_secret_value() if settings.ground_api_key else None
        api = await stack.enter_async_context(HttpApi(base_url or "", key, _TIMEOUT_S))
        return await ground(drawn, operations, api.call, threshold), unusable


def _show(console: Terminal, report: Report, unusable: dict[str, str]) -> None:
    table = Table(title=f"{report.mapped_tools} of {report.tools} tools match one of {report.operations} operations")
    for column in ("tool", "operation", "score", "names", "words", "parameters"):
        table.add_column(column)
    for each in sorted(report.matches, key=lambda found: -found.score)[:_SHOWN]:
        parts = (f"{value:.2f}" for value in (each.score, each.name, each.description, each.parameters))
        near = f"[dim]none; closest: {escape(each.runner_up or '-')}[/]"
        table.add_row(escape(each.tool), escape(each.operation) if each.operation else near, *parts)
    console.print(table)
    rate = "-" if report.success_rate is None else f"{report.success_rate:.1%}"
    what = "would be accepted" if report.mode == "dry-run" else "succeeded"
    console.print(f"{report.mode}: {report.succeeded} of {report.calls} calls {what} ({rate})", highlight=False)
    examples: defaultdict[str, str] = defaultdict(str)
    for outcome in report.outcomes:
        if not outcome.ok and not outcome.meant_to_fail:
            examples.setdefault(outcome.reason, re.sub(r"\s+", " ", outcome.detail))
    for reason, count in report.reasons.items():
        console.print(f"  {count:5} {reason}: {escape(examples[reason][:120])}", highlight=False)
    meant = f"Not counted: {report.meant_to_fail} calls that fail in the conversation, too"
    console.print(f"{meant}; {report.failed_as_meant} of them fail here as well.", highlight=False)
    for name, reason in list(unusable.items())[:_SHOWN]:
        console.print(f"[yellow]not used: {escape(name)}: {escape(reason)}[/]", highlight=False)
