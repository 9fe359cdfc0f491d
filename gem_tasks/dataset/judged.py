"""What conversations of a version really are, in its manifest and on its card; and the gate of its diversity."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from gem_tasks.dataset import card
from gem_tasks.dataset.export import published_of, rows_of
from gem_tasks.dataset.plan_judge import NOBODY_ASKED, JudgeReport, draw, judge, judge_of
from gem_tasks.dataset.realised import Counting
from gem_tasks.domain.base import Json
from gem_tasks.domain.gate import Decision
from gem_tasks.domain.realised import Realised, with_judgements
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import GemError, UserError
from gem_tasks.gates import decide
from gem_tasks.gates.decide import confirmed
from gem_tasks.gates.diversity import DIVERSITY, lines, metrics_of
from gem_tasks.lineage import Ledger, RunContext
from gem_tasks.pipeline.policy_file import policy
from gem_tasks.pipeline.recipes import MENUS, Chain
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.plans import Menus, parse_menus
from gem_tasks.store import keys

logger = logging.getLogger(__name__)
_SEED = 0
"""Of the sample before a publication."""


class Judgement(NamedTuple):
    """What is known about a version after a round of questions."""

    version: str
    report: JudgeReport
    decision: Decision


def menus_of(work: Workspace, ledger: Ledger) -> Menus:
    """The menus from which the plans of the workspace's chain were drawn; those in force, if it had none."""
    digest = str(work.chain.by_stage["generate"].params.get(MENUS) or "")
    if digest in ("", work.chain.menus.sha256):
        return work.chain.menus
    text = ledger.prompts.by_hash([digest]).get(digest)
    return parse_menus(text) if text else work.chain.menus


def realised_of(
    work: Workspace, ledger: Ledger, menus: Menus, data: bytes, counting: Counting, ids: Sequence[str], *, ask: bool
) -> Realised:
    """What conversations of a version in the making really are.

    Args:
        work: workspace of the version.
        ledger: an open one.
        menus: those from which its plans were drawn.
        data: its Parquet file.
        counting: has read all of its conversations.
        ids: of its trajectories.
        ask: whether a model may be asked, if GEM_PLANS_JUDGED says so; a fault of it does not stop the publication.
    """
    counted, size = counting.counted(NOBODY_ASKED), work.settings.plans_judged
    if ask and size:
        try:
            sample = draw(rows_of(data), size, _SEED, Counting(menus))
            return judge(work, menus, sample, counted).realised
        except GemError as error:
            logger.warning("the plans are not judged: %s", error)
            return counted.model_copy(update={"not_judged": str(error)[:300]})
    judged_by = judge_of(work, menus)
    known = ledger.realised.known(judged_by.judge, ids)
    return with_judgements(counted, known, judged_by.model_dump(exclude={"judge"})) if known else counted


def decided(work: Workspace, ledger: Ledger, partition: str, manifest: Json) -> Decision:
    """Decides about a manifest by the policy's `[diversity]`, records the decision, and notes it in the manifest."""
    decision = _decision(work, ledger, partition, manifest)
    manifest["diversity"]["gate"] = {"action": decision.action, "reason": decision.reason, "broken": lines(decision)}
    ledger.gates.record_decision(partition, work.chain.by_stage[STAGE_NAMES[-1]], decision, RunContext())
    if decision.action != "continue":
        logger.warning("diversity of %s: %s, %s", manifest["version"], decision.action, decision.reason)
    return decision


def require_diverse(work: Workspace, partition: str, manifest: Json, accepted: str | None) -> None:
    """Raises unless the policy in force, or a person, accepts a version's diversity.

    Args:
        work: workspace of the version.
        partition: its key.
        manifest: its manifest.
        accepted: a person's reason to accept what a bound with the action `review` asks about.

    Raises:
        UserError: a bound is broken.
    """
    work = _as_made(work, partition)
    with work.ledger() as ledger:
        decision = _decision(work, ledger, partition, manifest)
        if decision.action == "continue":
            return
        if decision.action == "halt" or not accepted:
            fix = "Change [diversity] in your gate policy" + (
                "." if decision.action == "halt" else ", or accept it: --accept-diversity REASON."
            )
            raise UserError(f"Version {manifest['version']} is not diverse: {decision.reason}", fix)
        person = work.settings.airflow_username
        answer = {"action": "continue", "person": person, "reason": f"{person} let it pass: {accepted}"}
        recipe = work.chain.by_stage[STAGE_NAMES[-1]]
        ledger.gates.record_decision(partition, recipe, decision.model_copy(update=answer), RunContext())


def judge_version(work: Workspace, version: str, sample: int, seed: int, budget_usd: float | None) -> Judgement:
    """Asks about a sample of a published version, and puts the result into its manifest and card.

    Raises:
        UserError: there is no such version, or the endpoint cannot be used.
        StoreError: an object is missing.
    """
    key = keys.dataset_key(version, "manifest.json")
    if not work.store.exists(key):
        raise UserError(f"There is no dataset version {version!r}", "Without one, GEM takes the newest.")
    manifest: Json = json.loads(work.fetch(key))
    partition = str(manifest["partition"])
    made = _as_made(work, partition)
    with made.ledger() as ledger:
        menus = menus_of(made, ledger)
    counting = Counting(menus)
    drawn = draw(published_of(work, version), sample, seed, counting)
    report = judge(work, menus, drawn, counting.counted(NOBODY_ASKED), budget_usd)
    with made.ledger() as ledger, ledger.locks.publish(partition):
        manifest = json.loads(work.fetch(key))  # the questions took a while, and it may have been published again
        manifest.setdefault("diversity", {})["realised"] = report.realised.model_dump(mode="json")
        decision = decided(made, ledger, partition, manifest)
        with ledger.retention.writing():
            work.store.put(keys.dataset_key(version, "README.md"), card.render(manifest).encode())
            work.store.put(key, json.dumps(manifest, indent=1).encode())
            ledger.datasets.amend(version, manifest)
    return Judgement(version, report, decision)


def _decision(work: Workspace, ledger: Ledger, partition: str, manifest: Json) -> Decision:
    recipe = work.chain.by_stage[STAGE_NAMES[-1]]
    decision = decide(metrics_of(manifest), policy(work.settings))
    return confirmed(decision, ledger.gates.last_decision(partition, recipe, DIVERSITY))


def _as_made(work: Workspace, partition: str) -> Workspace:
    """The workspace with the recipes of the partition's newest version."""
    with work.ledger() as ledger:
        recipes = ledger.datasets.recipes(partition)
    return replace(work, chain=Chain.recorded(work.settings, recipes)) if recipes else work
