"""A form on Airflow's required-actions page, on which one person rates one item of an audit.

It waits in the state `awaiting_input` and needs no worker and no triggerer. A form without an answer counts as skipped
after two weeks. GEM records each rating when it arrives, under the name of the user who answered.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowException

from gem_airflow.bridge import workspace

if TYPE_CHECKING:
    from airflow.sdk import Context

SAVE, SKIP = "Save", "Skip"
_PATIENCE = timedelta(days=14)
_SCORES = ("coherence", "tools", "faithfulness")

FORM: dict[str, Param] = {
    name: Param(None, type=["null", "integer"], minimum=1, maximum=5, title=f"{name.capitalize()} (1 to 5)")
    for name in _SCORES
}
FORM["comment"] = Param("", type=["null", "string"], title="Comment", maxLength=2000)
"""The form's fields. Airflow adds the DAG's params to an operator's, so the DAG file passes them to the task."""


class RatingOperator(HITLOperator):
    """Shows an item, waits for a person's ratings, and records them.

    Args:
        form: `audit_id`, the `item`'s fields, and the `rater` to ask: a user's id, or None for any user.
        kwargs: arguments of every Airflow operator.
    """

    template_fields = ("form",)

    def __init__(self, *, form: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(
            subject="Please rate", options=[SAVE, SKIP], defaults=SKIP, response_timeout=_PATIENCE, **kwargs
        )
        self.form = form

    def execute(self, context: "Context") -> None:
        """Asks for ratings. Sets the body after Airflow rendered templates, so `{{ }}` in a text stays as is."""
        from gem_tasks.audit.shown import markdown, one
        from gem_tasks.domain.audit import AuditItem

        item = AuditItem.model_validate(self.form["item"])
        self.subject = f"Audit {self.form['audit_id']}: please rate item {item.position}"
        self.body = markdown(one(workspace(), item))
        if rater := self.form["rater"]:
            self.assigned_users = [{"id": rater, "name": rater}]
        super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> str:
        """Records the ratings; Airflow shows an incomplete form again.

        Raises:
            AirflowException: a score is missing or invalid.
        """
        from pydantic import ValidationError

        from gem_tasks.audit.draw import find
        from gem_tasks.audit.rate import rate
        from gem_tasks.domain.audit import NAME_LENGTH, Rating

        answer: Any = super().execute_complete(context, event)
        if answer["chosen_options"] != [SAVE]:
            return "skipped"
        given = answer["params_input"] or {}
        person = str((event.get("responded_by_user") or {}).get("name") or self.form["rater"] or "unknown")[
            :NAME_LENGTH
        ]
        scores = {name: given.get(name) for name in _SCORES}
        try:
            rating = Rating.model_validate(
                {
                    "item_id": self.form["item"]["item_id"],
                    "rater": person,
                    **scores,
                    "comment": given.get("comment") or "",
                }
            )
        except ValidationError as error:
            raise AirflowException(
                f"The form is incomplete and will be shown again: {error.errors()[0]['loc']}"
            ) from None
        work = workspace()
        return rate(work, find(work, self.form["audit_id"]), [rating]).reason
