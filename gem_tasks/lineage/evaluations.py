"""Lineage of evaluations: scores case by case, champions, and decisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.evaluation import EvalReport, RunSettings
from gem_tasks.domain.promotion import Promotion
from gem_tasks.lineage.connection import Part, Row, columns
from gem_tasks.lineage.text import jsonb

_CASE = "position category case_id epoch score error".split()
_REPORT = "harness model scores settings seconds measures".split()


class OriginRecipe(Value):
    """A stage of a dataset version that a model was trained on."""

    version: str
    trajectories: int
    documents: int
    stage: str
    recipe_id: str
    made_by: str | None
    """The stage's model."""
    prompt: str | None
    prompt_sha256: str | None


class OriginDocument(Value):
    """A document that a model was trained on."""

    document_id: str
    uri: str
    license: str | None
    trajectories: int
    """Of the training rows."""


class EvaluationRow(Value):
    """An evaluation in a list."""

    evaluation_id: str
    model_id: str | None
    model: str
    harness: str
    settings: Json
    scores: list[Json]
    measures: Json
    seconds: float
    location: str
    airflow_run_id: str | None
    evaluated_at: datetime
    tries: int
    errors: int

    @property
    def made(self) -> str:
        """How it was made; see `RunSettings.summary`."""
        return RunSettings.model_validate(self.settings).summary


class SegmentPlace(NamedTuple):
    """A segment and its position."""

    segment_id: str
    partition: str
    shard: int


class Evaluations(Part):
    """Records and queries of `gem_tasks.evals`."""

    def record(
        self, evaluation_id: str, report: EvalReport, location: str, model_id: str | None, run_id: str | None = None
    ) -> None:
        """Records a report with all its cases, in one transaction, unless it is known."""
        cases: list[dict[str, Any]] = [
            {**case.model_dump(), "position": position} for position, case in enumerate(report.cases)
        ]
        plain = report.model_dump(mode="json", include={"settings", "scores", "measures"})
        with self._db.transaction():
            self._db.run(
                "insert_evaluation",
                evaluation_id=evaluation_id,
                model_id=model_id,
                model=report.model,
                harness=report.harness,
                seconds=report.seconds,
                location=location,
                run_id=run_id,
                **{name: jsonb(value) for name, value in plain.items()},
            )
            self._db.run("insert_evaluation_cases", evaluation_id=evaluation_id, **columns(cases, _CASE))

    def find(
        self, prefix: str = "", model_id: str | None = None, harness: str | None = None, limit: int = 20
    ) -> list[EvaluationRow]:
        """Evaluations whose id has this prefix, newest first."""
        return self._db.all(
            EvaluationRow, "find_evaluations", prefix=prefix, model_id=model_id, harness=harness, limit=limit
        )

    def report(self, row: EvaluationRow) -> EvalReport:
        """The whole report of a row, with its cases."""
        cases = self._db.rows("evaluation_cases", evaluation_id=row.evaluation_id)
        return EvalReport.model_validate({**row.model_dump(include=set(_REPORT)), "cases": cases})

    def of_model(self, model_id: str) -> dict[str, EvalReport]:
        """A model's newest report in each harness."""
        ids = [row["evaluation_id"] for row in self._db.rows("latest_evaluations", model_id=model_id)]
        found = [self.find(prefix=each, limit=1)[0] for each in ids]
        return {row.harness: self.report(row) for row in found}

    def lock_champion(self, name: str) -> None:
        """Blocks other decisions about models of this name until the transaction ends."""
        self._db.run("lock_champion", name=name)

    def champion(self, name: str) -> str | None:
        """Id of the champion among models of a name."""
        return _first(self._db.rows("champion", name=name))

    def untrained_base(self, model_id: str) -> str | None:
        """Id of the base of a model, if the base is a known model."""
        return _first(self._db.rows("untrained_base", model_id=model_id))

    def record_promotion(self, decision: Promotion, name: str) -> None:
        """Records a decision and updates the champion, inside the caller's transaction."""
        values = decision.model_dump(exclude={"evidence", "decided_at"})
        self._db.run("insert_promotion", evidence=jsonb(decision.evidence), **values)
        status = "champion" if decision.outcome == "promoted" else decision.outcome
        if status == "champion":
            self._db.run("retire_champion", name=name, model_id=decision.model_id)
        self._db.run("set_model_status", model_id=decision.model_id, status=status)

    def promotions(self, model_id: str) -> list[Promotion]:
        """Decisions about a model, newest first."""
        return self._db.all(Promotion, "promotions", model_id=model_id)

    def origin_recipes(self, model_id: str) -> list[OriginRecipe]:
        """Dataset versions, recipes and prompts behind a model."""
        return self._db.all(OriginRecipe, "model_lineage", model_id=model_id)

    def origin_documents(self, model_id: str, limit: int = 1000) -> list[OriginDocument]:
        """The documents behind a model, those that gave most first."""
        return self._db.all(OriginDocument, "model_documents", model_id=model_id, limit=limit)

    def held_out(self, set_id: str) -> list[SegmentPlace]:
        """Segments of a set's test split, in shard order."""
        return self._db.all(SegmentPlace, "held_out_segments", set_id=set_id)

    def held_out_documents(self) -> set[str]:
        """Documents that any set holds out of its training, also as another version or a copy."""
        return {row["document_id"] for row in self._db.rows("held_out_documents")}

    def trained_on(self, set_id: str, documents: Sequence[str]) -> set[str]:
        """Those of these documents that a set trains or validates on, also as another version or copy."""
        rows = self._db.rows("trained_on", set_id=set_id, documents=list(documents))
        return {row["document_id"] for row in rows}

    def segment_places(self, segments: Sequence[str]) -> list[SegmentPlace]:
        """Positions of these segments, in shard order."""
        return self._db.all(SegmentPlace, "segment_places", segments=list(segments))

    def segment_latencies(self, segments: Sequence[str], recipes: Sequence[str]) -> list[float]:
        """Seconds of all calls for each segment under these recipes."""
        rows = self._db.rows("segment_latencies", segments=list(segments), recipes=list(recipes))
        return [row["seconds"] for row in rows]


def _first(rows: Sequence[Row]) -> str | None:
    return rows[0]["model_id"] if rows else None
