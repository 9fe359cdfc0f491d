"""A form on Airflow's required-actions page, on which one person rates one item of an audit.

It waits in the state `awaiting_input`: no worker, no triggerer. A form that nobody fills in counts as skipped after
two weeks. Ratings are recorded as they come in, under the name of the user who answered.
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
"""The form's fields. Airflow adds the DAG's params to an operator's, so they are given where the task is made."""


class RatingOperator(HITLOperator):
    """Shows an item, waits for somebody's ratings, and records them.

    Args:
        form: `audit_id`, the `item`'s fields, and the `rater` who is asked: a user's id, or None for anybody.
        kwargs: of every operator.
    """

    template_fields = ("form",)

    def __init__(self, *, form: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(
            subject="Please rate", options=[SAVE, SKIP], defaults=SKIP, response_timeout=_PATIENCE, **kwargs
        )
        self.form = form

    def execute(self, context: "Context") -> None:
        """Asks. The body is set here, after Airflow has rendered templates: `{{ }}` in a text stays what it is."""
        from gem_tasks.audit.shown import markdown, one
        from gem_tasks.domain.audit import AuditItem

        item = AuditItem.model_validate(self.form["item"])
        self.subject = f"Audit {self.form['audit_id']}: please rate item {item.position}"
        self.body = markdown(one(workspace(), item))
        if rater := self.form["rater"]:
            self.assigned_users = [{"id": rater, "name": rater}]
        super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> str:
        """Records what was answered; an incomplete form is shown again.

        Raises:
            AirflowException: a score is missing or is none.
        """
        from pydantic import ValidationError

        from gem_tasks.audit.draw import find
        from gem_tasks.audit.rate import rate
        from gem_tasks.domain.audit import NAME_LENGTH, Rating

        answer: Any = super().execute_complete(context, event)
        if answer["chosen_options"] != [SAVE]:
            return "skipped"
        given = answer["params_input"] or {}
        person = str((event.get("responded_by_user") or {}).get("name") or self.form["rater"] or "somebody")[
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
            raise AirflowException(f"An incomplete form, it is shown again: {error.errors()[0]['loc']}") from None
        work = workspace()
        return rate(work, find(work, self.form["audit_id"]), [rating]).reason
