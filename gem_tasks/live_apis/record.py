"""A report's findings as the lineage records them."""

from gem_tasks.lineage.api_findings import ApiFinding
from gem_tasks.live_apis.figures import Report


def recorded(report: Report) -> list[ApiFinding]:
    """The findings about texts that are known."""
    return [
        ApiFinding(**each.model_dump(), api=report.api, sha256=report.sha256, mode=report.mode)
        for each in report.findings
        if each.segment_id
    ]
