"""Lineage of the synthesizer: texts that it spares the other stages, samples, and decisions about groups."""

from collections.abc import Sequence

from gem_tasks.domain.gate import Decision
from gem_tasks.domain.synthesis import Sampled
from gem_tasks.lineage.connection import Part


class Synthesizer(Part):
    """Records and queries of `pipeline.synthesizer`."""

    def spared(self, confirm: str, partition: str, shard: int) -> set[str]:
        """Texts of a shard whose synthesized trajectory the recipe of `confirm` accepted: no other stage has them."""
        rows = self._db.rows("synthesized_segments", recipe_id=confirm, partition=partition, shard=shard)
        return {row["segment_id"] for row in rows}

    def sampled(
        self, synthesize: str, confirm: str, stages: Sequence[str], accepting: Sequence[str], revised: str, window: int
    ) -> list[Sampled]:
        """Samples by group, the newest `window` texts of each.

        Args:
            synthesize: recipe of `synthesize`.
            confirm: recipe of `confirm`.
            stages: recipes of the pipeline's stages from `extract` on.
            accepting: those of them whose acceptance makes a trajectory.
            revised: the one whose rejections are revised; empty if they are not.
            window: most texts of a group.
        """
        return self._db.all(
            Sampled, "both_ways",
            synthesize=synthesize, confirm=confirm, stages=list(stages), accepting=list(accepting), revised=revised,
            window=window,
        )  # fmt: skip

    def decision(self, recipe_id: str, partition: str | None = None) -> Decision | None:
        """The newest decision about the groups under a recipe of `synthesize`, for one partition or any."""
        return self._db.first(Decision, "synthesizer_decision", recipe_id=recipe_id, partition=partition)
