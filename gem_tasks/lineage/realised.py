"""Lineage of what conversations really are: a judge's answers, each with its model, prompt and menus."""

from collections.abc import Sequence

from gem_tasks.domain.base import Value
from gem_tasks.domain.realised import Found, Judged
from gem_tasks.lineage.connection import Part
from gem_tasks.lineage.text import jsonb


class PlanJudge(Value):
    """What an answer depends on, beside the conversation."""

    judge: str
    """Hash of the rest."""
    model: str
    prompt_sha256: str
    menus_sha256: str


class Realisations(Part):
    """Records and queries of `dataset.plan_judge`."""

    def record(self, judge: PlanJudge, answer: Judged) -> None:
        """Records an answer, instead of an earlier one about the same conversation."""
        self._db.run(
            "upsert_plan_judgement",
            trajectory_id=answer.trajectory_id,
            **judge.model_dump(),
            found=jsonb({"planned": answer.planned, **answer.found.model_dump(include={"choices", "patterns"})}),
            unreadable=jsonb(answer.found.unreadable),
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            usd=answer.usd,
        )

    def known(self, judge: str, trajectory_ids: Sequence[str]) -> list[Judged]:
        """The recorded answers about these conversations, by id."""
        rows = self._db.rows("plan_judgements_of", judge=judge, trajectory_ids=list(trajectory_ids))
        return [
            Judged(
                planned=row["found"].pop("planned"),
                found=Found(**row.pop("found"), unreadable=row.pop("unreadable")),
                **row,
            )
            for row in rows
        ]
