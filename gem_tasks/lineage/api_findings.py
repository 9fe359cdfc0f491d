"""Lineage of findings about tools against live APIs: they inform people, and change no verdict."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part, columns


class ApiFinding(Value):
    """One thing that an API wants otherwise than a conversation's tool, or its calls, give it."""

    segment_id: str
    trajectory_id: str
    api: str
    sha256: str
    """Of the API's description; empty for an MCP server in findings of earlier versions."""
    mode: Literal["dry-run", "sandbox"]
    tool: str
    operation: str
    kind: str
    parameter: str
    detail: str
    calls: int
    """Calls that show it; 0 if the tool's definition alone does."""


class RecordedApiFinding(ApiFinding):
    """A finding with its time."""

    found_at: datetime


class ApiFindings(Part):
    """Records and queries of `live_apis`."""

    def replace(self, api: str, sha256: str, trajectory_ids: Sequence[str], found: Sequence[ApiFinding]) -> None:
        """Records what a run found about conversations, instead of what an earlier one with the description did."""
        rows = [each.model_dump() for each in found]
        with self._db.transaction():
            self._db.run("forget_api_findings", api=api, sha256=sha256, trajectory_ids=list(trajectory_ids))
            self._db.run("insert_api_findings", **columns(rows, list(ApiFinding.model_fields)))

    def of(self, trajectory_id: str) -> list[RecordedApiFinding]:
        """The findings about a conversation, by API."""
        return self._db.all(RecordedApiFinding, "trajectory_api_findings", trajectory_id=trajectory_id)
