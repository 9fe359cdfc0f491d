"""Lineage of rebuilding: open work in whole partitions or parts of them, and complete partitions."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import StageName
from gem_tasks.lineage.connection import Part


class Scope(Value):
    """The part of a partition that a run covers: sources by URI, and the first N documents of them."""

    sources: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def narrowed(self) -> bool:
        """Whether it is less than the whole partition."""
        return bool(self.sources or self.limit)


class ShardState(Value):
    """Counts of a stage over a shard."""

    expected: int
    accepted: int
    rejected: int
    failed: int

    @property
    def ended(self) -> int:
        """Number of final outcomes."""
        return self.accepted + self.rejected + self.failed


class Link(NamedTuple):
    """A stage's recipe in a chain; the chains of several takes have links in common."""

    stage: StageName
    recipe_id: str
    takes: str
    """The outcome of the preceding stage that it processes; the first stage processes every segment."""
    parent: str | None = None
    """Recipe of the preceding stage; None for the first stage."""
    workflow: int = 0
    """Index of the workflow that it needs: segments with fewer of them are not its input. Or of the task."""
    counts: str = "workflows"
    """The measure of the preceding stage that counts them."""
    spared_by: str | None = None
    """Recipe of `confirm` whose accepted texts this stage does not get: a synthesizer made their trajectories."""


class Rebuild(Part):
    """Queries of `pipeline.rebuild.plan`, `pipeline.shard.outcomes`, publication and the DAGs."""

    def pending(
        self, partition: str, links: Sequence[Link], asked: Sequence[str] | None = None, scope: Scope | None = None
    ) -> list[int]:
        """Shards with work left under these recipes, in the given stages and part of the partition."""
        scope = scope or Scope()
        found = self._db.rows(
            "pending",
            partition=partition,
            asked=[link.recipe_id for link in links] if asked is None else list(asked),
            **_links(links),
            narrowed=scope.narrowed,
            **_columns(scope),
        )
        return [row["shard"] for row in found]

    def unfinished(self, partition: str, links: Sequence[Link]) -> dict[StageName, int]:
        """Number of segments, or of their conversations, that wait for a first outcome, by stage; empty if complete.

        A failure is an outcome, even if a later run retries it.
        """
        found = self._db.rows("unfinished", partition=partition, **_links(links))
        waiting = {row["recipe_id"]: row["segments"] for row in found}
        counts = Counter[StageName]()
        for link in links:
            counts[link.stage] += waiting.get(link.recipe_id, 0)
        return {stage: count for stage, count in counts.items() if count}

    def unpublished(self, partition: str, accepting: Sequence[str], last: str) -> bool:
        """Whether there are accepted segments under these recipes, but the current dataset has another last recipe."""
        return self._db.one("unpublished", partition=partition, recipe_ids=list(accepting), last=last)["yes"]

    def shard_state(self, link: Link, partition: str, shard: int) -> ShardState:
        """Progress of a stage over a shard: one cheap query, without the segments' ids."""
        row = self._db.one(
            "shard_state",
            partition=partition,
            shard=shard,
            recipe_id=link.recipe_id,
            parent_id=link.parent,
            takes=link.takes,
            workflow=link.workflow,
            counts=link.counts,
            spared_by=link.spared_by,
        )
        return ShardState.model_validate(row)

    def scoped_segments(self, partition: str, scope: Scope) -> set[str]:
        """Ids of the segments in a scope."""
        return {row["segment_id"] for row in self._db.rows("scoped_segments", partition=partition, **_columns(scope))}

    def prompt_texts(self, name: str, prefix: str) -> list[str]:
        """Up to three stored versions of a prompt whose SHA-256 has this prefix."""
        return [row["text"] for row in self._db.rows("prompt_texts", name=name, prefix=prefix)]


def _links(links: Sequence[Link]) -> dict[str, object]:
    return {
        "recipe_ids": [link.recipe_id for link in links],
        "takes": [link.takes for link in links],
        "parents": [link.parent for link in links],
        "workflows": [link.workflow for link in links],
        "counts": [link.counts for link in links],
        "spared_by": [link.spared_by for link in links],
    }


def _columns(scope: Scope) -> dict[str, object]:
    return {"sources": list(scope.sources), "limit": scope.limit}
