"""The gate after a stage: a visible branch, decided by numbers and a policy, or by a person where the policy says so.

`GateOperator` leads on, to `{stage}.review` or to `{stage}.halted`; the review leads on or to `{stage}.halted`. Where
the next stage deals with refusals and there are none, leading on skips what only those would need. A
review waits in the state `awaiting_input`: no worker, no triggerer. It is answered on Airflow's required-actions page,
with `gem review`, or over REST, by users whose role allows it.
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
    """Holds the stage's numbers against the policy, records the decision, and goes on, asks a person, or halts.

    Args:
        stage: which one.
        following: task that comes next.
        otherwise: task that comes next where the following stage has nothing to deal with.
        kwargs: of every operator.
    """

    operator_extra_links = (RunLink(),)

    def __init__(self, *, stage: StageName, following: str, otherwise: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage: StageName = stage
        self.following, self.otherwise = following, otherwise

    def choose_branch(self, context: "Context") -> str:
        """The task that the decision leads to."""
        from gem_tasks.pipeline.judging.gating import gate

        decision = gate(begun(), self.stage, partition_key(), run_context())
        send_decision(self.stage, decision.action)
        ways = {"continue": _onward(self), "review": f"{self.stage}.review", "halt": f"{self.stage}.halted"}
        return ways[decision.action]


class ReviewOperator(HITLBranchOperator):
    """Shows a person the numbers and five examples, waits for the answer, records it with the name, and follows it.

    Args:
        stage: which one.
        following: task that comes next.
        otherwise: task that comes next where the following stage has nothing to deal with.
        kwargs: of every operator.
    """

    def __init__(self, *, stage: StageName, following: str, otherwise: str | None = None, **kwargs: Any) -> None:
        super().__init__(
            subject=f"The gate after {stage} asks for you",
            options=[CONTINUE, HALT],
            options_mapping={CONTINUE: following, HALT: f"{stage}.halted"},
            response_timeout=_PATIENCE,
            **kwargs,
        )
        self.stage: StageName = stage
        self.following, self.otherwise = following, otherwise

    def execute(self, context: "Context") -> Any:
        """Asks. The body is set here, after Airflow has rendered templates: `{{ }}` in a document stays what it is."""
        from gem_tasks.pipeline.judging.gating import last_decision, review

        self.options_mapping[CONTINUE] = _onward(self)
        decided = last_decision(begun(), self.stage, partition_key())
        if cast("Any", context)["ti"].try_number > 1 and decided.person:
            # Airflow may retry a task that was answered within seconds: nobody is asked twice.
            return self.do_branch(context, self.options_mapping[CONTINUE if decided.action == "continue" else HALT])
        self.body = review(begun(), self.stage, partition_key())
        return super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> Any:
        """Records the answer, then follows it."""
        from gem_tasks.pipeline.judging.gating import answer

        self.options_mapping[CONTINUE] = _onward(self)  # another process than the one that asked
        if "error" not in event:
            decided = answer(
                begun(),
                self.stage,
                partition_key(),
                run_context(),
                go_on=event["chosen_options"] == [CONTINUE],
                person=str((event.get("responded_by_user") or {}).get("name") or "somebody"),
                comment=str((event.get("params_input") or {}).get("comment") or ""),
            )
            send_decision(self.stage, decided.action)
        return super().execute_complete(context, event)


def _onward(gate: GateOperator | ReviewOperator) -> str:
    """Where a partition goes that may go on."""
    from gem_tasks.pipeline.judging.gating import nothing_left

    return gate.otherwise if gate.otherwise and nothing_left(begun(), gate.stage, partition_key()) else gate.following
