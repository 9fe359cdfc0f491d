"""`gem ground-api`: tests synthesized calls against a real API."""

import asyncio
import json
import shlex
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo_json
from gem_tasks.errors import UserError, first_line
from gem_tasks.files import replacing
from gem_tasks.live_apis.figures import Report, Source
from gem_tasks.live_apis.hosts import require_named
from gem_tasks.live_apis.http_api import HttpApi
from gem_tasks.live_apis.kept import keep
from gem_tasks.live_apis.load import from_file, from_store
from gem_tasks.live_apis.match import THRESHOLD
from gem_tasks.live_apis.mcp_server import McpApi, title_of
from gem_tasks.live_apis.openapi import read_spec
from gem_tasks.live_apis.operation import Api, Call
from gem_tasks.live_apis.record import recorded
from gem_tasks.live_apis.report import markdown, said, verdict
from gem_tasks.live_apis.run import ground
from gem_tasks.live_apis.sample import draw
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings, load
from gem_tasks.visible import visible

_TIMEOUT_S = 30.0
_SHOWN = 15


def ground_api(
    spec: Annotated[
        Path | None,
        typer.Option(
            help="OpenAPI 3, Swagger 2.0 or a Google discovery document, JSON or YAML.", exists=True, dir_okay=False
        ),
    ] = None,
    mcp: Annotated[str | None, typer.Option(help="An MCP server: its URL, or a command that starts one.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of the API; no other address is called.")] = None,
    mode: Annotated[
        str, typer.Option(help="`dry-run` checks arguments and sends nothing; `sandbox` makes the calls.")
    ] = "dry-run",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing, also with --mode sandbox.")] = False,
    allow_writes: Annotated[bool, typer.Option(help="Also make calls that may change something.")] = False,
    live_host: Annotated[
        str | None, typer.Option(help="Host that may be called although it is not this machine.")
    ] = None,
    max_calls: Annotated[int, typer.Option(min=1, help="Make at most this many calls.")] = 1_000,
    source: Annotated[
        Path | None, typer.Option("--from", help="A trajectories.jsonl. Default: published trajectories.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="Number of random trajectories.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed draws the same sample.")] = 0,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Minimum similarity for mapping a tool.")] = THRESHOLD,
    mapping: Annotated[
        Path | None, typer.Option(help="JSON: operation by tool, or null, where the similarity is wrong.", exists=True)
    ] = None,
    record: Annotated[
        bool, typer.Option(help="Record findings about published trajectories, and the report for the pages.")
    ] = True,
    out: Annotated[Path | None, typer.Option(help="Write the report as Markdown.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON: every match, call and finding.")] = False,
) -> None:
    """Maps the tools of sampled trajectories to operations of a real API, and checks or makes the calls.

    The API key is read from GEM_GROUND_API_KEY and goes where the description wants it.

    Examples:
        gem ground-api --spec openapi.json --sample 50 --out report.md
        gem ground-api --spec openapi.json --base-url http://127.0.0.1:9000 --mode sandbox --allow-writes
        gem ground-api --mcp "python -m my_server" --mode sandbox --from data/trajectories.jsonl
    """
    _require_sensible(spec, mcp, mode, out)
    live = mode == "sandbox" and not dry_run
    if spec and live and base_url is None:
        raise UserError(
            "The sandbox mode needs an address", "Give --base-url; servers named in the document are not trusted."
        )
    require_named(base_url if live else None, live_host)
    require_named(mcp, live_host)
    settings = load()
    work = None if source else Workspace.open(settings)
    drawn = draw(from_file(source) if source else from_store(cast("Workspace", work)), sample, seed)
    if not drawn:
        raise UserError("There are no trajectories", "Publish some with `gem run SOURCE`, or name a file with --from.")
    against = partial(
        ground,
        drawn,
        allow_writes=allow_writes,
        max_calls=max_calls,
        threshold=threshold,
        fixed=_mapping(mapping),
        source=Source(trajectories=str(source or "the store"), sample=len(drawn), seed=seed, command=_command(mcp)),
    )
    report = asyncio.run(_grounded(against, settings, spec, mcp, base_url, live))
    if work and record:
        with work.ledger() as ledger:
            ids = [row.trajectory_id for row in drawn]
            ledger.api_findings.replace(visible(report.api), report.sha256, ids, recorded(report))
        keep(work.store, report)
    _tell(report, out, as_json)


async def _grounded(
    against: Callable[[Api, Call | None], Awaitable[Report]],
    settings: Settings,
    spec: Path | None,
    mcp: str | None,
    base_url: str | None,
    live: bool,
) -> Report:
    async with AsyncExitStack() as stack:
        return await against(*await _opened(stack, settings, spec, mcp, base_url, live))


def _tell(report: Report, out: Path | None, as_json: bool) -> None:
    if out:
        with replacing(out) as part:
            part.write_text(markdown(report), encoding="utf-8")
    if as_json:
        echo_json(json.dumps(report.model_dump(), indent=1))  # unlike pydantic, it writes half a surrogate pair
    else:
        _show(Terminal(), report)


def _require_sensible(spec: Path | None, mcp: str | None, mode: str, out: Path | None) -> None:
    """Refuses options that cannot work, before any call is made.

    Raises:
        UserError: one cannot.
    """
    if (spec is None) == (mcp is None):
        raise UserError("Exactly one API is needed", "Give either --spec FILE or --mcp URL-or-command.")
    if mode not in ("dry-run", "sandbox"):
        raise UserError(f"--mode {mode!r} is unknown", "Choose dry-run or sandbox.")
    if out and not out.absolute().parent.is_dir():
        raise UserError(f"There is no folder {out.parent} for the report", "Make it, or name another file with --out.")


def _command(mcp: str | None) -> str:
    """How this was called, without the arguments of an MCP server's command or URL, which may hold a secret."""
    bare = title_of(mcp) if mcp else None
    return shlex.join(["gem", *(bare if bare and mcp == each else each for each in sys.argv[1:])])


async def _opened(
    stack: AsyncExitStack, settings: Settings, spec: Path | None, mcp: str | None, base_url: str | None, live: bool
) -> tuple[Api, Call | None]:
    """The API, and what makes calls to it if any are to be made."""
    if mcp is not None:
        server = await stack.enter_async_context(McpApi(mcp, _TIMEOUT_S))
        return server.api, server.call if live else None
    api = read_spec(cast("Path", spec))
    if not live:
        return api, None
    key = settings.ground_api_key.get_secret_value() if settings.ground_api_key else None
    http = await stack.enter_async_context(HttpApi(base_url or "", key, _TIMEOUT_S))
    return api, http.call


def _mapping(path: Path | None) -> dict[str, str | None]:
    if path is None:
        return {}
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {first_line(error)}", 'Write {"tool": "operation", …}.') from None
    rows: dict[str, Any] = cast("dict[str, Any]", found) if isinstance(found, dict) else {"": 0}
    if not all(value is None or isinstance(value, str) for value in rows.values()):
        raise UserError(f"{path} is not a mapping", 'Write {"tool": "operation", "other_tool": null}.')
    return rows


def _show(console: Terminal, report: Report) -> None:
    total = report.total
    table = Table(title=f"{total.mapped_tools} of {total.tools} tools match one of {report.operations} operations")
    for column in ("tool", "operation", "score", "calls", "valid", "succeeded"):
        table.add_column(column)
    for each in report.tools[:_SHOWN]:
        match = each.match
        near = f"[dim]none; closest: {escape(match.runner_up or '-')}[/]"
        counts = (f"{value}" for value in (each.calls, each.valid, each.succeeded if each.sent else "-"))
        operation = escape(match.operation) if match.operation else near
        table.add_row(escape(match.tool), operation, f"{match.score:.2f}", *counts)
    console.print(table)
    console.print(escape(visible(verdict(report))), highlight=False)
    for cause, count in total.causes.items():
        example = next(each.detail for each in report.outcomes if each.reason == cause and not each.meant_to_fail)
        line = f"  {count:5} {cause}: {said(cause)}" + (f", as in: {visible(example)[:120]}" if example else "")
        console.print(escape(line), highlight=False)
    meant = f"Not counted: {total.meant_to_fail} calls that fail in the conversation, too"
    console.print(f"{meant}; {total.failed_as_meant} of them fail here as well.", highlight=False)
    for name, why in list(report.unusable.items())[:_SHOWN]:
        console.print(f"[yellow]not used: {escape(visible(name))}: {escape(visible(why))}[/]", highlight=False)
