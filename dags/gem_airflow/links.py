"""Buttons on task instances that open GEM's pages: a shard's task opens its segments, a gate opens its run.

A worker builds the URL when the task ends; it starts with Airflow's base URL, including its path prefix.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class SegmentsLink(BaseOperatorLink):
    """Links to the outcomes of this task instance's segments."""

    @property
    def name(self) -> str:
        """Label of the button."""
        return "GEM: segments"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """Returns the URL of the page.

        Args:
            operator: the operator that owns the button.
            ti_key: the task instance.
        """
        return _page("task", run_id=ti_key.run_id, task_id=ti_key.task_id, map_index=ti_key.map_index)


class RunLink(BaseOperatorLink):
    """Links to the numbers of this run and its partitions."""

    @property
    def name(self) -> str:
        """Label of the button."""
        return "GEM: this run"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """Returns the URL of the page.

        Args:
            operator: the operator that owns the button.
            ti_key: the task instance.
        """
        return _page("run", run_id=ti_key.run_id)


def _page(name: str, **query: object) -> str:
    """The URL of a page inside Airflow's UI: the part after `/plugin/gem` is the URL of the frame."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/plugin/gem{urlsplit(base).path}/gem/{name}?{urlencode(query)}"
