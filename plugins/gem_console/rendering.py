"""Renders templates to pages. It escapes all values, because they come from documents and models."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gem_console import charts
from gem_console.pieces import marked
from gem_tasks.airflow_names import SYNTHESIZE, WORLDS
from gem_tasks.domain.indented import indented
from gem_tasks.domain.stage import STAGE_NAMES, WORLD_LINE
from gem_tasks.domain.take import Take
from gem_tasks.redaction import clean
from gem_tasks.visible import visible_lines

_FOLDER = Path(__file__).parent
_THOUSAND, _MILLION = 1_000, 1_000_000


def page(request: Request, template: str, values: dict[str, Any], status: int = 200) -> HTMLResponse:
    """Renders a page. `root` is the relative URL of GEM's first page, `airflow` that of Airflow."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    root = "../" * (path.count("/") - 1) or "./"
    given = {"root": root, "airflow": f"{root}../", "path": path, "query": dict(request.query_params)}
    return HTMLResponse(clean(_environment().get_template(template).render(**given, **values)), status)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": number, "usd": usd, "share": share, "when": when, "length_of_time": length_of_time, "url": _url,
        "tail": tail, "oneline": oneline, "tojson_pretty": pretty, "exact": exact,
    }  # fmt: skip
    shared: dict[str, Any] = {
        "charts": charts, "with_query": with_query, "task_url": task_url, "run_url": run_url, "marked": marked,
        "numeric": numeric, "take_at": take_at, "version": _assets_version(),
        "number": number, "usd": usd, "seconds": seconds,
    }  # fmt: skip
    made.globals.update(shared)
    macros: dict[str, Any] = {"ui": made.get_template("macros.html").module}
    made.globals.update(macros)
    return made


def _shown(value: Any) -> Any:
    """Shows bidirectional and invisible characters of a text as visible escapes."""
    return visible_lines(value) if type(value) is str else value  # not markup: its texts were already escaped


def numeric(names: Iterable[str]) -> list[str]:
    """Columns over numbers, as the macro `head` marks them."""
    return [f"#{name}" for name in names]


def number(value: float | None) -> str:
    """A whole number with thin spaces between thousands; a dash for None."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def compact(value: float) -> str:
    """`12.3k`, `4.5M`: for axes."""
    if value >= _MILLION:
        return f"{value / _MILLION:.3g}M"
    return f"{value / _THOUSAND:.3g}k" if value >= _THOUSAND else f"{value:.3g}"


def usd(value: float | None) -> str:
    """Dollars; a dash if no price is known."""
    if value is None:
        return "–"
    return f"${value:,.2f}" if value >= 1 or not value else f"${value:.4f}"


def seconds(value: float | None) -> str:
    """Seconds with one decimal; a dash for None."""
    return "–" if value is None else f"{value:.1f} s"


def share(value: float | None) -> str:
    """Per cent with one decimal; a dash for None."""
    return "–" if value is None else f"{value:.1%}"


def when(value: datetime | str | None) -> str:
    """UTC, to the second; the page's script adds the reader's local time."""
    if value is None:
        return "–"
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def length_of_time(seconds: float | None) -> str:
    """`3 h 20 min`."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def tail(text: str, length: int = 60) -> str:
    """The last `length` characters of a URI, where documents differ."""
    return text if len(text) <= length else f"…{text[-length:]}"


def oneline(text: str) -> str:
    """The first 160 characters of pretty-printed JSON, in one line."""
    return " ".join(text.split())[:160]


def pretty(data: Any) -> str:
    """Indented JSON. The template escapes it like any other text."""
    return indented(data, 2, default=str)


def with_query(query: dict[str, str], **changes: Any) -> str:
    """The page's query string with changes; None removes a parameter."""
    merged = {name: value for name, value in {**query, **changes}.items() if value not in (None, "")}
    return f"?{urlencode(merged)}" if merged else "?"


def run_url(airflow: str, run_id: str, stage: str) -> str:
    """Airflow's page of a run that wrote results of the stage."""
    dag = WORLDS if stage in WORLD_LINE and stage not in STAGE_NAMES else SYNTHESIZE
    return f"{airflow}dags/{dag}/runs/{quote(run_id, safe='')}"


def task_url(airflow: str, run_id: str, task_id: str, map_index: int | None) -> str:
    """Airflow's page of a task instance, with its log."""
    place = f"/mapped/{map_index}" if map_index is not None and map_index >= 0 else ""
    return f"{run_url(airflow, run_id, task_id.partition('.')[0])}/tasks/{quote(task_id, safe='')}{place}"


def take_at(row: Any) -> str:
    """Which conversation or world of its text a recorded result or trajectory is, in words; empty for the first."""
    return Take(workflow=row.workflow, rollout=row.rollout).at(row.stage)


def exact(text: str) -> Markup:
    """The text for a `textarea`, escaped for HTML only: what is shown there comes back as it is.

    HTML drops the first line feed in a `textarea`, hence the one that is added.
    """
    return Markup("\n") + escape(text)


def _url(text: str) -> str:
    return quote(text, safe="")


def _assets_version() -> str:
    """A version that changes with any file that browsers cache."""
    newest = max(path.stat().st_mtime_ns for path in (_FOLDER / "static").iterdir())
    return f"{newest:x}"[-10:]
