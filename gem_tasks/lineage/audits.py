"""Lineage of audits: samples, ratings, and the versions that are called audited."""

from collections.abc import Sequence

from gem_tasks.domain.audit import Audit, AuditItem, Rating, Sample
from gem_tasks.lineage.connection import Connection, columns
from gem_tasks.lineage.text import jsonb

_ITEM = "item_id position stratum partition shard recipe_id version".split()
_RATING = "item_id rater coherence tools faithfulness comment".split()


class AuditRows(Connection):
    """What `gem_tasks.audit` draws, records and asks."""

    def draw_sample(self, sample: Sample, recipe_id: str, start: float) -> tuple[list[AuditItem], int]:
        """Items at random, and how many there are to draw from; nothing is recorded.

        Args:
            sample: what to draw.
            recipe_id: under which segments were accepted.
            start: where the systematic draw begins, in [0, 1).
        """
        query = "draw_segments" if sample.what == "segments" else "draw_trajectories"
        values = sample.model_dump(exclude={"what"}) | {"start": start}
        rows = self.rows(query, recipe_id=recipe_id, **values)
        total = rows[0]["total"] if rows else 0
        return [AuditItem(**{name: row[name] for name in _ITEM}) for row in rows], total

    def versions_drawn_from(self, sample: Sample) -> list[str]:
        """Current dataset versions that a sample of trajectories stands for."""
        found = self.rows("versions_drawn_from", version=sample.version, first=sample.first, last=sample.last)
        return [row["version"] for row in found]

    def insert_audit(
        self,
        audit_id: str,
        sample: Sample,
        items: Sequence[AuditItem],
        population: int,
        versions: list[str],
        run_id: str | None,
    ) -> None:
        """Records what was drawn, unless it is known."""
        rows = [item.model_dump() for item in items]
        with self.transaction():
            self.run(
                "insert_audit",
                audit_id=audit_id,
                sample=jsonb(sample.model_dump()),
                population=population,
                versions=versions,
                run_id=run_id,
            )
            self.run("insert_audit_items", audit_id=audit_id, **columns(rows, _ITEM))

    def find_audits(self, prefix: str = "", limit: int = 20) -> list[Audit]:
        """Audits whose id begins so, the newest first."""
        return [Audit.model_validate(row) for row in self.rows("find_audits", prefix=prefix, limit=limit)]

    def audit_items(self, audit_id: str) -> list[AuditItem]:
        """What was drawn, in the order of rating."""
        return [AuditItem.model_validate(row) for row in self.rows("audit_items", audit_id=audit_id)]

    def lock_audit(self, audit_id: str) -> None:
        """Until the transaction ends, nobody else rates."""
        self.run("lock_audit", audit_id=audit_id)

    def upsert_ratings(self, audit_id: str, ratings: Sequence[Rating]) -> None:
        """Records them; a rater's later rating of an item replaces the earlier one."""
        rows = [rating.model_dump() for rating in ratings]
        self.run("upsert_ratings", audit_id=audit_id, **columns(rows, _RATING))

    def ratings(self, audit_id: str) -> list[Rating]:
        """All of them."""
        return [Rating.model_validate(row) for row in self.rows("ratings", audit_id=audit_id)]

    def mark_versions(self, audit: Audit, passed: bool | None) -> None:
        """Calls the audit's versions audited, or no longer; undecided, it takes back only what it gave itself."""
        versions = list(audit.versions)
        if passed:
            self.run("mark_audited", audit_id=audit.audit_id, versions=versions)
        else:
            only = audit.audit_id if passed is None else None
            self.run("mark_not_audited", audit_id=only, versions=versions)
