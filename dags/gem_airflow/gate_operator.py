"""The gate after a stage: a visible branch that a policy decides from numbers, or a person if the policy says so.

`GateOperator` leads to the next task, to `{stage}.review` or to `{stage}.halted`; the review leads to the next task or
to `{stage}.halted`. If the next stage handles refusals and nothing was refused, the gate skips that stage. A review
waits in the state `awaiting_input` and needs no worker and no triggerer. Users whose role permits it answer on
Airflow's required-actions page, with `gem review`, or over REST.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.standard.operators.branch import BaseBranchOperator
from airflow.providers.standard.operators.hitl import HITLBranchOperator
from airflow.sdk import Param

from gem_airflow.bridge import begun, partition_key, run_context
from gem_airflow.links import RunLink
from gem_airflow.metrics import send_decision
from gem_tasks.airflow_names import CONTINUE, HALT
from gem_tasks.domain.stage import StageName

if TYPE_CHECKING:
    from airflow.sdk import Context

COMMENT = Param("", type=["null", "string"], title="Comment", maxLength=2000)
"""The form's field. Airflow adds the DAG's params to an operator's, so it is given where the task is made."""
_PATIENCE = timedelta(days=7)


class GateOperator(BaseBranchOperator):
    """Compares the stage's numbers with the policy, records the decision, and continues, asks a person, or halts.

    Args:
        stage: name of the stage.
        following: id of the next task.
        otherwise: id of the next task if the following stage has no work.
        kwargs: arguments of every Airflow operator.
    """

    operator_extra_links = (RunLink(),)

    def __init__(self, *, stage: StageName, following: str, otherwise: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage: StageName = stage
        self.following, self.otherwise = following, otherwise

    def choose_branch(self, context: "Context") -> str:
        """Returns the id of the task that the decision leads to."""
        from gem_tasks.pipeline.judging.gating import gate

        decision = gate(begun(), self.stage, partition_key(), run_context())
        send_decision(self.stage, decision.action)
        ways = {"continue": _onward(self), "review": f"{self.stage}.review", "halt": f"{self.stage}.halted"}
        return ways[decision.action]


class ReviewOperator(HITLBranchOperator):
    """Shows a person the numbers and five examples, waits for the answer, records it with the name, and follows it.

    Args:
        stage: name of the stage.
        following: id of the next task.
        otherwise: id of the next task if the following stage has no work.
        kwargs: arguments of every Airflow operator.
    """

    def __init__(self, *, stage: StageName, following: str, otherwise: str | None = None, **kwargs: Any) -> None:
        super().__init__(
            subject=f"The gate after {stage} needs your decision",
            options=[CONTINUE, HALT],
            options_mapping={CONTINUE: following, HALT: f"{stage}.halted"},
            response_timeout=_PATIENCE,
            **kwargs,
        )
        self.stage: StageName = stage
        self.following, self.otherwise = following, otherwise

    def execute(self, context: "Context") -> Any:
        """Asks for a decision. Sets the body after Airflow rendered templates, so `{{ }}` in a document stays as is."""
        from gem_tasks.pipeline.judging.gating import last_decision, review

        self.options_mapping[CONTINUE] = _onward(self)
        decided = last_decision(begun(), self.stage, partition_key())
        if cast("Any", context)["ti"].try_number > 1 and decided.person:
            # Airflow may retry a task that was answered within seconds; it reuses the recorded answer.
            return self.do_branch(context, self.options_mapping[CONTINUE if decided.action == "continue" else HALT])
        self.body = review(begun(), self.stage, partition_key())
        return super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> Any:
        """Records the answer, then follows it."""
        from gem_tasks.pipeline.judging.gating import answer

        self.options_mapping[CONTINUE] = _onward(self)  # this is not the process that asked
        if "error" not in event:
            decided = answer(
                begun(),
                self.stage,
                partition_key(),
                run_context(),
                go_on=event["chosen_options"] == [CONTINUE],
                person=str((event.get("responded_by_user") or {}).get("name") or "unknown"),
                comment=str((event.get("params_input") or {}).get("comment") or ""),
            )
            send_decision(self.stage, decided.action)
        return super().execute_complete(context, event)


def _onward(gate: GateOperator | ReviewOperator) -> str:
    """Returns the id of the task that follows if the partition continues."""
    from gem_tasks.pipeline.judging.gating import nothing_left

    return gate.otherwise if gate.otherwise and nothing_left(begun(), gate.stage, partition_key()) else gate.following
