"""What a stage sees of a segment: the text and what the stages before made of it."""

from gem_tasks.domain.base import Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.domain.workflow import Extraction


class Topic(Value):
    """Output of the filter: what an accepted text is about, in the paper's vocabulary."""

    summary: str
    platform: str
    domains: tuple[str, ...]
    task_category: str


class Record(Value):
    """One segment on its way. Fields are named after the stage that fills them; None until it has."""

    segment: Segment
    filter: Topic | None = None
    extract: Extraction | None = None
    generate: Trajectory | None = None
    refine: Trajectory | None = None
