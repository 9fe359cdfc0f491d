"""Lineage of audits: samples, ratings, and the versions that are called audited."""

from collections.abc import Mapping, Sequence

from gem_tasks.domain.audit import Audit, AuditItem, Rating, Sample
from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part, Row, columns
from gem_tasks.lineage.text import jsonb

_ITEM = "item_id position stratum partition shard recipe_id version".split()
_QUERIES = {"segments": "draw_segments", "trajectories": "draw_trajectories", "refused": "draw_refused"}
_RATING = "item_id rater coherence tools faithfulness comment".split()


class Said(Value):
    """What a version of the checks, and the judge, say about a conversation."""

    item_id: str
    recipe_id: str
    kinds: frozenset[str]
    """Of all findings, `check/kind`."""
    judged: bool
    faults: frozenset[str]
    """Of the judgement."""


class RatedRow(Value):
    """A conversation as one audit's raters found it."""

    audit_id: str
    sample: str
    population: int
    item_id: str
    partition: str
    shard: int
    recipe_id: str
    segment_id: str
    raters: int
    keepers: int
    """Raters who gave a good score in every quality."""
    said: Said | None
    """None where today's checks have not been asked yet, or the conversation is gone."""


class Audits(Part):
    """What `gem_tasks.audit` draws, records and asks."""

    def draw_sample(
        self, sample: Sample, recipes: Mapping[str, str], start: float, *, revising: bool
    ) -> tuple[list[AuditItem], int]:
        """Items at random, and how many there are to draw from; nothing is recorded.

        Args:
            sample: what to draw.
            recipes: current recipe ids by stage; of published trajectories all recipes are drawn.
            start: where the systematic draw begins, in [0, 1).
            revising: whether what the validation refuses goes back to be revised, and is refused only after that.
        """
        values = sample.model_dump(exclude={"what"}) | {"start": start, "revising": revising}
        rows = self._db.rows(_QUERIES[sample.what], **values, **recipes)
        total = rows[0]["total"] if rows else 0
        return [AuditItem(**{name: row[name] for name in [*_ITEM, "stage"]}) for row in rows], total

    def versions_drawn_from(self, sample: Sample) -> list[str]:
        """Current dataset versions that a sample of trajectories stands for."""
        found = self._db.rows("versions_drawn_from", version=sample.version, first=sample.first, last=sample.last)
        return [row["version"] for row in found]

    def insert(
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
        with self._db.transaction():
            self._db.run(
                "insert_audit",
                audit_id=audit_id,
                sample=jsonb(sample.model_dump()),
                population=population,
                versions=versions,
                run_id=run_id,
            )
            self._db.run("insert_audit_items", audit_id=audit_id, **columns(rows, _ITEM))

    def find(self, prefix: str = "", limit: int = 20) -> list[Audit]:
        """Audits whose id begins so, the newest first."""
        return self._db.all(Audit, "find_audits", prefix=prefix, limit=limit)

    def items(self, audit_id: str) -> list[AuditItem]:
        """What was drawn, in the order of rating."""
        return self._db.all(AuditItem, "audit_items", audit_id=audit_id)

    def lock(self, audit_id: str) -> None:
        """Until the transaction ends, nobody else rates."""
        self._db.run("lock_audit", audit_id=audit_id)

    def upsert_ratings(self, audit_id: str, ratings: Sequence[Rating]) -> None:
        """Records them; a rater's later rating of an item replaces the earlier one."""
        rows = [rating.model_dump() for rating in ratings]
        self._db.run("upsert_ratings", audit_id=audit_id, **columns(rows, _RATING))

    def ratings(self, audit_id: str) -> list[Rating]:
        """All of them."""
        return self._db.all(Rating, "ratings", audit_id=audit_id)

    def rated_conversations(self, good: int, checks: int) -> list[RatedRow]:
        """Conversations with ratings, for every audit that drew them.

        Args:
            good: the score from which a rating is good.
            checks: version of the checks whose findings are wanted.
        """
        return [_rated(row) for row in self._db.rows("rated_conversations", good=good, checks=checks)]

    def insert_findings(self, checks: int, said: Sequence[Said]) -> None:
        """Records what these checks and the judge say, unless it is known."""
        rows = [
            {**each.model_dump(), "faults": " ".join(sorted(each.faults)), "kinds": " ".join(sorted(each.kinds))}
            for each in said
        ]
        self._db.run("insert_audit_findings", checks=checks, **columns(rows, list(Said.model_fields)))

    def recipe_line(self, recipe_id: str) -> dict[str, str]:
        """A recipe and all that it was made from: ids by stage."""
        return {row["stage"]: row["recipe_id"] for row in self._db.rows("recipe_line", recipe_id=recipe_id)}

    def mark_versions(self, audit: Audit, passed: bool | None) -> None:
        """Calls the audit's versions audited, or no longer; undecided, it takes back only what it gave itself."""
        versions = list(audit.versions)
        if passed:
            self._db.run("mark_audited", audit_id=audit.audit_id, versions=versions)
        else:
            only = audit.audit_id if passed is None else None
            self._db.run("mark_not_audited", audit_id=only, versions=versions)


def _rated(row: Row) -> RatedRow:
    given = {name: row.pop(name) for name in ("kinds", "judged", "faults")}
    said = {"item_id": row["item_id"], "recipe_id": row["recipe_id"], **given} if row.pop("known") else None
    return RatedRow.model_validate({**row, "said": said})
