"""Draws a random sample and asks people to rate it on Airflow's required-actions page. Start it by hand.

Every item becomes a form; if raters are named, every rater gets a form per item. The last task summarises the ratings.
`gem audit rate` asks the same questions in the terminal; ratings from both places count.
"""

from datetime import timedelta
from typing import Any, cast

import pendulum
from airflow.sdk import Param, chain, dag, task

from gem_airflow.bridge import run_context, workspace
from gem_airflow.params import PARTITION, line, seed, several, text
from gem_airflow.rating_operator import FORM, RatingOperator
from gem_airflow.retries import DEFAULT_ARGS

_MOST_FORMS = 1000
"""Airflow maps a task over at most 1024 items."""


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=["gem", "audit"],
    doc_md=__doc__,
    params={
        "what": Param("trajectories", type="string", enum=["trajectories", "refused", "segments"], title="Rate"),
        "size": Param(50, type="integer", minimum=1, maximum=_MOST_FORMS, title="Items"),
        "seed": seed("The same seed draws the same items again."),
        "version": text("Dataset version", "Sample only this version. Empty: all current versions.", line(200)),
        "first": text("First partition", "For example 2026-01-31T14:00. Empty: from the first one.", PARTITION),
        "last": text("Last partition", "Inclusive. Empty: up to the last one.", PARTITION),
        "raters": several(
            "Raters",
            "User names, one per line; each rater gets every item. Empty: one rating per item, by any user.",
            [],
            pattern=line(100),
        ),
    },
)
def gem_audit() -> None:
    """Draws the sample, collects the ratings, and summarises them."""

    @task(execution_timeout=timedelta(minutes=10))
    def draw(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Draws and records the sample; returns a form per item and rater."""
        from gem_tasks.audit.draw import draw
        from gem_tasks.domain.audit import Sample
        from gem_tasks.errors import UserError

        work, given = workspace(), dict(params or {})
        raters = list(dict.fromkeys(given.pop("raters", None) or [])) or [None]
        sample = Sample.model_validate({name: given[name] for name in Sample.model_fields})
        if sample.size * len(raters) > _MOST_FORMS:
            raise UserError(
                f"{sample.size} items for {len(raters)} raters need more than {_MOST_FORMS} forms", "Draw fewer items."
            )
        audit = draw(work, sample, run_context().run_id)
        with work.ledger() as ledger:
            items = ledger.audits.items(audit.audit_id)
        return [
            {"audit_id": audit.audit_id, "item": item.model_dump(), "rater": rater}
            for item in items
            for rater in raters
        ]

    @task(trigger_rule="all_done_min_one_success", execution_timeout=timedelta(minutes=10))
    def report(forms: list[dict[str, Any]]) -> dict[str, Any]:
        """Summarises all ratings, including those from the terminal."""
        from gem_tasks.audit.draw import find
        from gem_tasks.audit.rate import so_far

        work = workspace()
        return so_far(work, find(work, forms[0]["audit_id"])).model_dump(mode="json")

    forms = draw()
    rated = RatingOperator.partial(
        task_id="rate",
        params=FORM,
        map_index_template="item {{ task.form.item.position }}{{ ' ' ~ task.form.rater if task.form.rater else '' }}",
        doc_md=RatingOperator.__doc__,
    ).expand(form=forms)
    chain(rated, report(cast("Any", forms)))


gem_audit()
