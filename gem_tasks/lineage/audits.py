"""Lineage of audits: samples, ratings, and audited versions."""

from collections.abc import Mapping, Sequence

from gem_tasks.domain.audit import Audit, AuditItem, Rating, Sample
from gem_tasks.domain.base import Value
from gem_tasks.lineage.connection import Part, Row, columns
from gem_tasks.lineage.text import jsonb

_ITEM = "item_id position stratum partition shard recipe_id version".split()
_QUERIES = {"segments": "draw_segments", "trajectories": "draw_trajectories", "refused": "draw_refused"}
_RATING = "item_id rater coherence tools faithfulness comment".split()


class Said(Value):
    """The findings of a version of the checks, and the judge's faults, about a conversation."""

    item_id: str
    recipe_id: str
    kinds: frozenset[str]
    """Kinds of all findings, `check/kind`."""
    judged: bool
    faults: frozenset[str]
    """Faults of the judgement."""


class RatedRow(Value):
    """A conversation with the ratings of one audit."""

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
    """None if the current checks have not run on it yet, or the conversation is missing."""


class Audits(Part):
    """Samples and ratings for `gem_tasks.audit`."""

    def draw_sample(
        self, sample: Sample, recipes: Mapping[str, Sequence[str]], start: float, *, revising: bool
    ) -> tuple[list[AuditItem], int]:
        """Draws random items, and counts the population; records nothing.

        Args:
            sample: the kind and size of the sample.
            recipes: current recipe ids by stage, of all takes; published trajectories may have any recipe.
            start: start of the systematic draw, in [0, 1).
            revising: whether rejected conversations are revised, so that only `revalidate` rejects finally.
        """
        values = sample.model_dump(exclude={"what"}) | {"start": start, "revising": revising}
        rows = self._db.rows(_QUERIES[sample.what], **values, **recipes, extract_=recipes["extract"][0])
        total = rows[0]["total"] if rows else 0
        return [AuditItem(**{name: row[name] for name in [*_ITEM, "stage"]}) for row in rows], total

    def versions_drawn_from(self, sample: Sample) -> list[str]:
        """Current dataset versions that a sample of trajectories represents."""
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
        """Records an audit with its items, unless it is known."""
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
        """Audits whose id has this prefix, newest first."""
        return self._db.all(Audit, "find_audits", prefix=prefix, limit=limit)

    def items(self, audit_id: str) -> list[AuditItem]:
        """The drawn items, in the order of rating."""
        return self._db.all(AuditItem, "audit_items", audit_id=audit_id)

    def lock(self, audit_id: str) -> None:
        """Blocks other ratings until the transaction ends."""
        self._db.run("lock_audit", audit_id=audit_id)

    def upsert_ratings(self, audit_id: str, ratings: Sequence[Rating]) -> None:
        """Records ratings; a rater's later rating of an item replaces the earlier one."""
        rows = [rating.model_dump() for rating in ratings]
        self._db.run("upsert_ratings", audit_id=audit_id, **columns(rows, _RATING))

    def ratings(self, audit_id: str) -> list[Rating]:
        """All ratings of an audit."""
        return self._db.all(Rating, "ratings", audit_id=audit_id)

    def rated_conversations(self, good: int, checks: int) -> list[RatedRow]:
        """Conversations with ratings, for every audit that drew them.

        Args:
            good: minimum score of a good rating.
            checks: version of the checks whose findings to return.
        """
        return [_rated(row) for row in self._db.rows("rated_conversations", good=good, checks=checks)]

    def insert_findings(self, checks: int, said: Sequence[Said]) -> None:
        """Records findings of these checks and faults of the judge, unless they are known."""
        rows = [
            {**each.model_dump(), "faults": " ".join(sorted(each.faults)), "kinds": " ".join(sorted(each.kinds))}
            for each in said
        ]
        self._db.run("insert_audit_findings", checks=checks, **columns(rows, list(Said.model_fields)))

    def recipe_line(self, recipe_id: str) -> dict[str, str]:
        """Ids of a recipe and its ancestors, by stage."""
        return {row["stage"]: row["recipe_id"] for row in self._db.rows("recipe_line", recipe_id=recipe_id)}

    def mark_versions(self, audit: Audit, passed: bool | None) -> None:
        """Marks the audit's versions as audited, or unmarks them; an undecided audit removes only its own marks."""
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
