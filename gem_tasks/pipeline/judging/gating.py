"""Runs gates: takes figures from the lineage, applies the policy, records decisions, and informs reviewers."""

import logging

from gem_tasks.domain.gate import Decision
from gem_tasks.domain.outcome import OutcomeKind
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import StoreError, UserError
from gem_tasks.gates import decide, report
from gem_tasks.gates.decide import confirmed
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.policy_file import policy
from gem_tasks.pipeline.quotas import apply_quotas
from gem_tasks.pipeline.recipes import takes_of
from gem_tasks.pipeline.shard.records import segments_of
from gem_tasks.pipeline.synthesizer.groups import decide_groups
from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)

_EXAMPLES = 5


def gate(work: Workspace, name: StageName, partition: str, run: RunContext) -> Decision:
    """Decides by the stage's figures for the whole partition and all takes, and records the decision with them.

    It is recorded under the recipe of the first take. After the filter, quotas decide which texts pass: what they hold
    does not count for or against the gate. Then, it is decided which groups of texts a synthesizer may have.
    """
    if name == "filter":
        apply_quotas(work, partition)
        if work.with_synthesizer:
            decide_groups(work, partition, run)
    recipe, bounds = work.chain.by_stage[name], policy(work.settings)
    with work.ledger() as ledger:
        decision = decide(ledger.gates.all_metrics(partition, *work.recipes_of(name)), bounds)
        decision = confirmed(decision, ledger.gates.last_decision(partition, recipe))
        ledger.gates.record_decision(partition, recipe, decision, run)
    logger.info("gate after %s: %s, %s", name, decision.action, decision.reason)
    return decision


def nothing_left(work: Workspace, name: StageName, partition: str) -> bool:
    """Whether the stage left no work for the next one; if that one takes refused results, whether none was refused.

    It looks at results, not at open work: a gate that halted also halts the next run.
    """
    following = work.chain.after(name)
    taken = takes_of(work.chain.by_stage[following]) if following else "accepted"
    with work.ledger() as ledger:
        counts = ledger.gates.metrics(partition, *work.recipes_of(name))
    return not getattr(counts, taken, 0)


def answer(
    work: Workspace, name: StageName, partition: str, run: RunContext, *, go_on: bool, person: str, comment: str
) -> Decision:
    """Records a person's decision on the gate's last decision."""
    asked = last_decision(work, name, partition)
    verb = "let it pass" if go_on else "stopped it"
    decision = asked.model_copy(
        update={
            "action": "continue" if go_on else "halt",
            "reason": f"{person} {verb}" + (f": {comment}" if comment else "") + f" (asked because {asked.reason})",
            "person": person,
        }
    )
    with work.ledger() as ledger:
        ledger.gates.record_decision(partition, work.chain.by_stage[name], decision, run)
    return decision


def last_decision(work: Workspace, name: StageName, partition: str) -> Decision:
    """The latest decision of the gate after the stage.

    Raises:
        UserError: there is no decision yet.
    """
    with work.ledger() as ledger:
        found = ledger.gates.last_decision(partition, work.chain.by_stage[name])
    if found is None:
        raise UserError(f"The gate after {name} has not decided yet in {partition}", "Run the gate first.")
    return found


def review(work: Workspace, name: StageName, partition: str) -> str:
    """Markdown for the reviewer: figures against bounds, and examples of what violated them."""
    decision = last_decision(work, name, partition)
    broken = {held.metric for held in decision.held if held.broken}
    with work.ledger() as ledger:
        for outcomes in _telling(broken):
            if rows := ledger.gates.examples(partition, work.recipe_ids(name), outcomes, _EXAMPLES):
                break
        else:
            rows = []
    wanted = {row.segment_id for row in rows}
    texts = {shard: _texts(work, partition, shard, wanted) for shard in {row.shard for row in rows}}
    examples = [
        (
            f"{row.outcome}{': ' + row.reason if row.reason else ''} — {row.uri}\n{row.detail}".strip(),
            texts[row.shard].get(row.segment_id, ""),
        )
        for row in rows
    ]
    return report(decision, partition, examples)


def _telling(broken: set[str]) -> list[list[OutcomeKind]]:
    """Outcomes to show, most telling first: failures for failures, rejections for a low yield, otherwise accepted."""
    if any(metric.startswith("failed_share") for metric in broken):
        return [["failed"]]
    if broken & {"accepted_share", "ungrounded_share", "duplicate_share"}:
        return [["rejected"], ["failed"]]
    return [["accepted"], ["rejected"]]


def _texts(work: Workspace, partition: str, shard: int, wanted: set[str]) -> dict[str, str]:
    try:
        found = segments_of(work, partition, shard)
        return {segment.segment_id: segment.text for segment in found if segment.segment_id in wanted}
    except StoreError as error:
        logger.warning("no texts for the reviewer: %s", error)
        return {}
