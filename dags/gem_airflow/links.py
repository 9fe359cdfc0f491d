"""Buttons on task instances that lead to GEM's pages: from a shard's task to its segments, from a gate to its run.

A worker makes the address when the task ends, below Airflow's own one, prefix included.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class SegmentsLink(BaseOperatorLink):
    """To what this task instance made of each segment."""

    @property
    def name(self) -> str:
        """What stands on the button."""
        return "GEM: segments"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """The address.

        Args:
            operator: whose button it is.
            ti_key: the task instance.
        """
        return _page("task", run_id=ti_key.run_id, task_id=ti_key.task_id, map_index=ti_key.map_index)


class RunLink(BaseOperatorLink):
    """To the numbers of this run and its partitions."""

    @property
    def name(self) -> str:
        """What stands on the button."""
        return "GEM: this run"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """The address.

        Args:
            operator: whose button it is.
            ti_key: the task instance.
        """
        return _page("run", run_id=ti_key.run_id)


def _page(name: str, **query: object) -> str:
    """A page inside Airflow's: the part after `/plugin/gem` is the address of the frame."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/plugin/gem{urlsplit(base).path}/gem/{name}?{urlencode(query)}"
