"""A stage's view of a segment: the text and the outputs of earlier stages."""

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import Extraction


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
        """In the form stored in the lineage."""
        return {
            "prefilter": self.prefilter,
            "prefilter_score": round(self.score, 6),
            "prefilter_rejects": self.rejects,
            "prefilter_share": self.share,
        }


class Record(Value):
    """One segment on its way. Fields are named after the stage that fills them (but `judgement`); None until it has."""

    segment: Segment
    opened: frozenset[str] = frozenset()
    """Kinds of errors, `check/kind`, that go to the judge instead of refusing: people do not agree with them."""
    prefilter_score: PrefilterScore | None = None
    """Set for the filter while a prefilter is in use."""
    filter: Topic | None = None
    extract: Extraction | None = None
    generate: Trajectory | None = None
    refine: Trajectory | None = None
    judgement: Judgement | None = None
    """The judgement by `validate` that refused, as input of `revise`; None if the checks refused."""
    revise: Trajectory | None = None
