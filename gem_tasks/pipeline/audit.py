"""Audits: a stratified random sample that people rate, reproducible by its seed."""

from collections.abc import Sequence

from gem_tasks.domain.audit import AuditReport, Rating, What
from gem_tasks.domain.base import Value
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import Extraction
from gem_tasks.errors import UserError
from gem_tasks.gates.agreement import draw, report
from gem_tasks.gates.report import fenced, wrapped
from gem_tasks.lineage.connection import Row
from gem_tasks.pipeline.records import output_of, segments_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.settings import StageName

_STAGE: dict[What, StageName] = {"segments": "extract", "trajectories": "refine"}
_LONGEST = 20_000
"""Characters of a text or a conversation that are shown."""


class Item(Value):
    """What a person looks at; texts may be hostile."""

    item: int
    segment_id: str
    uri: str
    stratum: str
    text: str
    """Of the segment."""
    made: str
    """The workflows and tools, or tools and conversation, that were made from it."""

    @property
    def markdown(self) -> str:
        """For Airflow's page: everything in blocks that render nothing."""
        return "\n\n".join(
            [
                f"**Item {self.item}** · rate each from 1 (poor) to 5 (excellent): **coherence** (it hangs together), "
                "**relevance** (tools fit the task), **faithfulness** (true to the text)",
                fenced(wrapped(f"{self.uri}\n{self.segment_id}")),
                "## The text",
                fenced(wrapped(self.text)),
                "## What was made from it",
                fenced(wrapped(self.made)),
            ]
        )


def start(work: Workspace, what: What, size: int, seed: int, version: str | None = None) -> int:
    """Draws a sample under the current recipes; the audit's number.

    Raises:
        UserError: there is nothing to draw from.
    """
    stage: StageName = "extract" if what == "segments" else "validate"
    recipe = work.chain.id_of(stage)
    with work.ledger() as ledger:
        drawn = draw(ledger.audit_strata(what, recipe, version), size, seed)
        if not drawn:
            raise UserError(f"There are no {what} under the current prompts and models", "Run `gem run` first.")
        return ledger.insert_audit(what, version, recipe, seed, drawn)


def items(work: Workspace, audit_id: int, wanted: Sequence[int] | None = None) -> list[Item]:
    """The items of an audit with what there is to see, in order; all, or some.

    Raises:
        UserError: there is no such audit.
        StoreError: an object is gone.
    """
    audit = _audit(work, audit_id)
    with work.ledger() as ledger:
        rows = [row for row in ledger.audit_items(audit_id) if wanted is None or row["item"] in wanted]
    found: list[Item] = []
    for place in sorted({(row["partition"], row["shard"]) for row in rows}):
        here = {row["segment_id"]: row for row in rows if (row["partition"], row["shard"]) == place}
        made = output_of(work, _STAGE[audit["what"]], *place)
        for segment in segments_of(work, *place):
            if row := here.get(segment.segment_id):
                if segment.segment_id not in made:
                    raise UserError(
                        f"Audit {audit_id} was drawn under other prompts or models", "Draw a new one: gem audit draw"
                    )
                shown = _shown(made[segment.segment_id])[:_LONGEST]
                values = {name: row[name] for name in ("item", "segment_id", "uri", "stratum")}
                found.append(Item(**values, text=segment.text[:_LONGEST], made=shown))
    return sorted(found, key=lambda item: item.item)


def rate(work: Workspace, audit_id: int, ratings: Sequence[Rating]) -> None:
    """Records ratings; rating again replaces.

    Raises:
        UserError: the audit has no such item.
    """
    known = range(_audit(work, audit_id)["items"])
    if strange := sorted({rating.item for rating in ratings} - set(known)):
        raise UserError(f"Audit {audit_id} has no item {strange[0]}", f"Its items are 0 to {len(known) - 1}.")
    with work.ledger() as ledger:
        ledger.record_ratings(audit_id, ratings)


def is_rated(work: Workspace, audit_id: int, item: int) -> bool:
    """Whether somebody rated an item."""
    with work.ledger() as ledger:
        return any(rating.item == item for rating in ledger.audit_ratings(audit_id))


def result(work: Workspace, audit_id: int | None = None) -> AuditReport:
    """What an audit (or the newest) says so far.

    Raises:
        UserError: there is none.
    """
    audit = _audit(work, audit_id)
    with work.ledger() as ledger:
        ratings = ledger.audit_ratings(audit["audit_id"])
    return report(audit["audit_id"], audit["what"], audit["version"], audit["items"], ratings)


def _audit(work: Workspace, audit_id: int | None) -> Row:
    with work.ledger() as ledger:
        found = ledger.audit(audit_id)
    if found is None:
        name = "no audit yet" if audit_id is None else f"no audit {audit_id}"
        raise UserError(f"There is {name}", "Draw one: gem audit draw, or start the DAG gem_audit.")
    return found


def _shown(made: Trajectory | Extraction) -> str:
    if isinstance(made, Trajectory):
        return f"{render_tools(made.tools)}\n\n{render_trajectory(made.messages)}"
    return made.model_dump_json(indent=1)
