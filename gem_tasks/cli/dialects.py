"""`gem dialects`: the request format that each endpoint was found to accept."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gem_tasks.cli.terminal import Terminal, echo, echo_json
from gem_tasks.llm.dialects.memory import forget, remembered
from gem_tasks.settings import load
from gem_tasks.store import open_store


def dialects(
    drop: Annotated[bool, typer.Option("--forget", help="Forget everything; GEM learns it again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False,
) -> None:
    """Shows the request format, context window and plausibility of token counts of each model and endpoint.

    Examples:
        gem dialects
        gem dialects --forget
    """
    settings = load()
    store = open_store(settings.store_root, settings.s3)
    if drop:
        echo(f"Forgot the dialects of {forget(store)} models.")
        return
    found = remembered(store)
    if as_json:
        echo_json(json.dumps([known.model_dump(mode="json") for known in found], indent=1))
        return
    table = Table()
    for column in ("endpoint", "model", "dialect", "window", "token counts", "learned"):
        table.add_column(column)
    for known in found:
        learned = datetime.fromtimestamp(known.at, UTC).isoformat(timespec="minutes")
        window = f"{known.window:,}" if known.window else "unknown"
        tokens = known.usage_fault or "as reported"
        cells = (known.endpoint, known.model, known.dialect.summary, window, tokens, learned)
        table.add_row(*map(escape, cells))
    Terminal().print(table)
