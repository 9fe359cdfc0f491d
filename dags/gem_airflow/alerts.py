"""Sends alerts: a gate halted a partition, a run failed, a run is late.

One POST of JSON to GEM_ALERT_URL, or to the Connection `gem_alerts` (its password is the URL, since such URLs are
secrets). Slack, Mattermost, Google Chat and Zulip show the field `text`; the other fields are for programs. If neither
is set, GEM sends nothing. For e-mail and other channels use Airflow's own notifiers: docs/operations.md.
"""

import asyncio
import logging
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseNotifier, Connection
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference  # the package's own type stub lacks both
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from airflow.sdk import Context

logger = logging.getLogger(__name__)

_LIMIT_S = 10
_DEADLINE = "GEM_DEADLINE_MINUTES"


class Alert(BaseNotifier):
    """Posts one message about the run or task; if it cannot be sent, this logs a warning and fails nothing.

    Args:
        what: the event in a few words, such as `a run failed`.
    """

    template_fields = ()

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def notify(self, context: "Context") -> None:
        """Sends the message; runs in a worker or the DAG processor."""
        if url := _url():
            _post(url, message(self.what, cast("dict[str, Any]", context)))


def message(what: str, context: dict[str, Any]) -> dict[str, Any]:
    """The body of an alert: `text` for people, the ids for machines.

    Args:
        what: the event in a few words.
        context: Airflow's context of a task, a run or a deadline.
    """
    run, ti = context.get("dag_run"), context.get("ti") or context.get("task_instance")
    found = {
        "dag_id": _field(run, "dag_id"),
        "run_id": _field(run, "run_id"),
        "partition": _field(run, "partition_key"),
        "task_id": _field(ti, "task_id"),
        "url": _field(ti, "log_url"),
    }
    reason = str(context.get("exception") or context.get("reason") or "")
    where = " ".join(str(found[name]) for name in ("dag_id", "partition", "task_id") if found[name])
    text = f"GEM: {what}: {where}" + (f"\n{reason}" if reason else "")
    return {"text": text[:3000], "what": what, "reason": reason[:2000], **found}


async def late(context: dict[str, Any]) -> None:
    """Sends the alert of a missed deadline; the triggerer calls it.

    It posts from a thread, because all triggers of the deployment share the calling event loop.
    """
    await asyncio.to_thread(Alert("late").notify, cast("Any", context))


def deadline() -> list[DeadlineAlert]:
    """A deadline for each run, GEM_DEADLINE_MINUTES after it was queued; none if that is unset."""
    minutes = os.environ.get(_DEADLINE, "")
    if not minutes.isdigit() or int(minutes) == 0:
        return []
    return [
        DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(minutes=int(minutes)),
            name="late",
            callback=AsyncCallback(late),
        )
    ]


def _field(item: Any, name: str) -> Any:
    """A field of a run or task, which is an object in a worker and a dictionary in the triggerer."""
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


def _url() -> str | None:
    from gem_tasks.redaction import know

    if url := os.environ.get("GEM_ALERT_URL"):
        return url
    try:
        url = Connection.get("gem_alerts").password
    except AirflowNotFoundException:
        return None
    know("gem_alerts", url)
    return url


def _post(url: str, body: dict[str, Any]) -> None:
    import httpx2

    from gem_tasks import http_clients
    from gem_tasks.errors import UserError

    try:
        with http_clients.client(timeout=_LIMIT_S) as client:
            client.post(url, json=body).raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL, UserError) as error:
        # Never the error's text: it holds the URL, which is a secret.
        logger.warning("Could not send an alert (%s): %s", type(error).__name__, body["text"])
