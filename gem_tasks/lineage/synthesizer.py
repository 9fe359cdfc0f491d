"""Lineage of the synthesizer: texts that it spares the other stages, samples, costs, and decisions about groups."""

from typing import Literal, NamedTuple

from gem_tasks.domain.gate import Decision
from gem_tasks.domain.synthesis import Sampled
from gem_tasks.lineage.connection import Part


class TwoWays(NamedTuple):
    """The recipes of both ways."""

    synthesize: str
    confirm: str
    stages: list[str]
    """Of the pipeline's stages from `extract` on."""
    accepting: list[str]
    """Those of them whose acceptance makes a trajectory."""
    revised: str
    """The one of them whose rejections are revised; empty if they are not."""


class WayCost(NamedTuple):
    """What one way made of texts of a group, and what it cost."""

    group: str
    way: Literal["synthesizer", "pipeline"]
    texts: int
    accepted: int
    calls: int
    tokens: int
    """Of prompts and completions."""
    seconds: float
    """Of all requests, one after the other."""
    usd: float | None
    """None if the price of a request is not known."""


class Refused(NamedTuple):
    """Texts without a synthesized trajectory, by stage and reason."""

    stage: str
    reason: str
    texts: int


class Synthesizer(Part):
    """Records and queries of `pipeline.synthesizer`."""

    def spared(self, confirm: str, partition: str, shard: int) -> set[str]:
        """Texts of a shard whose synthesized trajectory the recipe of `confirm` accepted: no other stage has them."""
        rows = self._db.rows("synthesized_segments", recipe_id=confirm, partition=partition, shard=shard)
        return {row["segment_id"] for row in rows}

    def sampled(self, ways: TwoWays, window: int) -> list[Sampled]:
        """Samples by group, the newest `window` texts of each."""
        return self._db.all(Sampled, "both_ways", **ways._asdict(), window=window)

    def costs(self, ways: TwoWays) -> list[WayCost]:
        """Both ways on the texts that went both ways to the end, by group."""
        return self._db.all(WayCost, "both_ways_cost", **ways._asdict())

    def alone(self, ways: TwoWays) -> list[WayCost]:
        """The synthesizer on the texts that it had alone, by group."""
        return self._db.all(WayCost, "synthesizer_alone", synthesize=ways.synthesize, confirm=ways.confirm)

    def refused(self, ways: TwoWays) -> list[Refused]:
        """Why texts have no synthesized trajectory."""
        return self._db.all(Refused, "synthesizer_reasons", synthesize=ways.synthesize, confirm=ways.confirm)

    def decision(self, recipe_id: str, partition: str | None = None) -> Decision | None:
        """The newest decision about the groups under a recipe of `synthesize`, for one partition or any."""
        return self._db.first(Decision, "synthesizer_decision", recipe_id=recipe_id, partition=partition)
