"""One item of an audit as a form on Airflow's required-actions page."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param

from gem_airflow.bridge import workspace

if TYPE_CHECKING:
    from airflow.sdk import Context

RATE, SKIP = "Rate", "Skip"
_PATIENCE = timedelta(days=14)


def _grade(title: str) -> Param:
    return Param(3, type="integer", minimum=1, maximum=5, title=title)


FORM: dict[str, Any] = {
    "coherence": _grade("Coherence: it hangs together, 1 to 5"),
    "relevance": _grade("Relevance: the tools fit the task, 1 to 5"),
    "faithfulness": _grade("Faithfulness: true to the text, 1 to 5"),
    "comment": Param("", type=["null", "string"], title="Comment", maxLength=2000),
}


class RateOperator(HITLOperator):
    """Shows the text and what was made from it, waits for a rating, and records it in the rater's name.

    Args:
        sample: number of the audit and of the item.
        kwargs: of every operator.
    """

    template_fields = ("sample",)

    def __init__(self, *, sample: dict[str, int], **kwargs: Any) -> None:
        super().__init__(
            subject="Rate this item", options=[RATE, SKIP], defaults=SKIP, response_timeout=_PATIENCE, **kwargs
        )
        self.sample = sample

    def execute(self, context: "Context") -> None:
        """Asks. Set after Airflow has rendered templates, so that `{{ }}` in a document stays what it is."""
        from gem_tasks.pipeline.audit import is_rated, items

        if cast("Any", context)["ti"].try_number > 1 and is_rated(
            workspace(), self.sample["audit"], self.sample["item"]
        ):
            return  # Airflow may retry a task that was answered within seconds
        (item,) = items(workspace(), self.sample["audit"], [self.sample["item"]])
        self.subject = f"Audit {self.sample['audit']}, item {item.item}"
        self.body = item.markdown
        super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> Any:
        """Records the rating."""
        from gem_tasks.domain.audit import Rating
        from gem_tasks.pipeline.audit import rate

        answer = super().execute_complete(context, event)
        if event["chosen_options"] == [RATE]:
            given = event["params_input"] or {name: param.value for name, param in FORM.items()}
            rater = str((event.get("responded_by_user") or {}).get("name") or "somebody")
            rating = Rating.model_validate(
                {**given, "comment": given.get("comment") or "", "item": self.sample["item"], "rater": rater}
            )
            rate(workspace(), self.sample["audit"], [rating])
        return answer
