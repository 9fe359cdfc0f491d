"""A stage's view of a segment: the text and the outputs of earlier stages."""

from collections.abc import Mapping
from typing import TypeVar

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.plan import Plan
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.synthesis import Route

Output = TypeVar("Output", bound=Value)


class Topic(Value):
    """Output of the filter: what an accepted text is about, in the paper's vocabulary."""

    summary: str
    platform: str
    domains: tuple[str, ...]
    task_category: str


class PrefilterScore(Value):
    """A trained prefilter's score of a segment."""

    prefilter: str
    """Its recipe id."""
    score: float
    """0 hopeless, 1 certain."""
    threshold: float
    """Below it a segment is rejected without a call."""
    share: bool
    """Drawn to go to the model regardless of the score, to measure what the prefilter misses."""

    @property
    def rejects(self) -> bool:
        """Whether the score is below the threshold."""
        return self.score < self.threshold

    @property
    def measures(self) -> Json:
        """The score in the form that the lineage stores."""
        return {
            "prefilter": self.prefilter,
            "prefilter_score": round(self.score, 6),
            "prefilter_rejects": self.rejects,
            "prefilter_share": self.share,
        }


class Record(Value):
    """One segment on its way through the stages."""

    segment: Segment
    opened: frozenset[str] = frozenset()
    """Kinds of errors, `check/kind`, that go to the judge instead of rejecting, because people disagree with them."""
    prefilter_score: PrefilterScore | None = None
    """Set for the filter while a prefilter is in use."""
    plan: Plan | None = None
    """Set for `generate`: what the conversation is to be like."""
    route: Route | None = None
    """Set for `synthesize`: whether the synthesizer may have the text."""
    outputs: Mapping[StageName, Value] = {}
    """Outputs by stage. `validate` has one for `revise` if the judge rejected the conversation."""

    def output(self, stage: StageName, of: type[Output]) -> Output | None:
        """The stage's output; None if it has none.

        Raises:
            TypeError: it is not of that type.
        """
        found = self.outputs.get(stage)
        if found is None or isinstance(found, of):
            return found
        raise TypeError(f"the output of {stage} is a {type(found).__name__}, not a {of.__name__}")

    def needed(self, stage: StageName, of: type[Output]) -> Output:
        """The stage's output.

        Raises:
            ValueError: it has none.
            TypeError: it is not of that type.
        """
        if (found := self.output(stage, of)) is None:
            raise ValueError(f"{self.segment.segment_id} has not been through {stage}")
        return found

    def with_output(self, stage: StageName, output: Value) -> "Record":
        """A copy with the output of the stage."""
        return self.model_copy(update={"outputs": {**self.outputs, stage: output}})

    def without(self, stage: StageName) -> "Record":
        """A copy without the output of the stage."""
        return self.model_copy(update={"outputs": {key: each for key, each in self.outputs.items() if key != stage}})
