"""Draws samples, and finds them again."""

import json
from hashlib import sha256
from random import Random

from gem_tasks.domain.audit import Audit, AuditItem, Sample, What
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.pipeline.recipes import takes_of
from gem_tasks.pipeline.workspace import Workspace

_STARTS = 1000
NAMES: dict[What, str] = {"segments": "segments", "trajectories": "trajectories", "refused": "refused conversations"}


def draw(work: Workspace, sample: Sample, run_id: str | None = None) -> Audit:
    """Draws and records the sample; the same sample of the same data is the existing audit.

    Raises:
        UserError: there is nothing to draw from.
    """
    start = Random(sample.seed).randrange(_STARTS) / _STARTS  # noqa: S311 (it has to come out the same again)
    recipes = {stage: work.recipe_ids(stage) for stage in STAGE_NAMES}
    revising = takes_of(work.chain.by_stage["revise"]) == "rejected"
    with work.ledger() as ledger:
        items, population = ledger.audits.draw_sample(sample, recipes, start, revising=revising)
        if not items:
            raise UserError(
                f"There are no {NAMES[sample.what]} to draw from",
                "Make some with `gem run SOURCE`, or widen the selection.",
            )
        versions = ledger.audits.versions_drawn_from(sample) if sample.what == "trajectories" else []
        audit_id = _name(sample, items, versions)
        ledger.audits.insert(audit_id, sample, items, population, versions, run_id)
        (audit,) = ledger.audits.find(audit_id, 1)
    return audit


def find(work: Workspace, prefix: str | None) -> Audit:
    """The only audit whose id has this prefix; without a prefix, the newest.

    Raises:
        UserError: there is none, or more than one.
    """
    with work.ledger() as ledger:
        found = ledger.audits.find(prefix or "", 2 if prefix else 1)
    if not found and not prefix:
        raise UserError("No audit sample was drawn yet", "Draw a sample: gem audit draw")
    if len(found) != 1:
        cause = "No audit begins" if not found else "More than one audit begins"
        raise UserError(f"{cause} with {prefix!r}", "`gem audit report` lists them.")
    return found[0]


def _name(sample: Sample, items: list[AuditItem], versions: list[str]) -> str:
    content = json.dumps([sample.model_dump(), [item.item_id for item in items], versions])
    return sha256(content.encode()).hexdigest()[:12]
