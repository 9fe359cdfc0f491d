"""A report's findings as the lineage records them."""

from gem_tasks.domain.base import Json
from gem_tasks.lineage.api_findings import ApiFinding
from gem_tasks.live_apis.figures import Report
from gem_tasks.visible import visible

_ABOUT = 0.3
"""Minimum share of a text's tools that are mapped. With fewer, the text is about something else, and matches are mostly
coincidences (docs/live-apis.md)."""


def recorded(report: Report) -> list[ApiFinding]:
    """The findings about known texts that are about what the API is about, and about tools that were mapped by hand."""
    about = {each.text for each in report.texts if each.mapped_tools > _ABOUT * each.tools}
    by_hand = {each.match.tool for each in report.tools if each.match.by_hand}
    return [
        ApiFinding(**_storable(each.model_dump()), api=visible(report.api), sha256=report.sha256, mode=report.mode)
        for each in report.findings
        if each.segment_id and (each.segment_id in about or each.tool in by_hand)
    ]


def _storable(row: Json) -> Json:
    """Postgres takes neither NUL nor half a surrogate pair, and both can be in descriptions."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in row.items()}
