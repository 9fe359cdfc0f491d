"""Lineage of audits: samples, and what people say of them."""

from collections import defaultdict
from collections.abc import Sequence

from gem_tasks.domain.audit import Rating, What
from gem_tasks.lineage.connection import Connection, Row, columns

_RATING = "item rater coherence relevance faithfulness comment".split()


class AuditRows(Connection):
    """What `pipeline.audit` records and asks."""

    def audit_strata(self, what: What, recipe_id: str, version: str | None) -> dict[str, list[str]]:
        """Segment ids that can be drawn, by stratum."""
        found: dict[str, list[str]] = defaultdict(list)
        if what == "segments":
            rows = self.rows("audit_segments", recipe_id=recipe_id)
        else:
            rows = self.rows("audit_trajectories", recipe_id=recipe_id, version=version)
        for row in rows:
            found[row["stratum"]].append(row["segment_id"])
        return dict(found)

    def insert_audit(
        self, what: What, version: str | None, recipe_id: str, seed: int, drawn: Sequence[tuple[str, str]]
    ) -> int:
        """A new audit of `(stratum, segment id)`; its number."""
        with self.transaction():
            made = self.one("insert_audit", what=what, version=version, recipe_id=recipe_id, seed=seed)
            audit_id: int = made["audit_id"]
            rows = [{"item": item, "stratum": stratum, "segment_id": id_} for item, (stratum, id_) in enumerate(drawn)]
            self.run("insert_audit_items", audit_id=audit_id, **columns(rows, ("item", "stratum", "segment_id")))
        return audit_id

    def audit(self, audit_id: int | None) -> Row | None:
        """One audit, or the newest."""
        found = self.rows("audit", audit_id=audit_id)
        return found[0] if found else None

    def audit_items(self, audit_id: int) -> list[Row]:
        """Its items, and where they lie."""
        return self.rows("audit_items", audit_id=audit_id)

    def audit_ratings(self, audit_id: int) -> list[Rating]:
        """All ratings."""
        return [Rating.model_validate(row) for row in self.rows("audit_ratings", audit_id=audit_id)]

    def record_ratings(self, audit_id: int, ratings: Sequence[Rating]) -> None:
        """Adds or replaces ratings, in one statement."""
        rows = [rating.model_dump() for rating in ratings]
        self.run("upsert_ratings", audit_id=audit_id, **columns(rows, _RATING))
