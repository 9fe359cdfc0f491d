"""Values of distillation: a training set, and a model trained on one.

A set is named by its content: the spec, the dataset versions it was drawn from, and the split of each trajectory. A
model is named by its profile, its set and its base. Equal input gives equal names, so GEM makes nothing twice.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from gem_tasks.domain.base import Json, Value

Kind = Literal["synthesizer", "agent"]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Status = Literal["candidate", "champion", "rejected", "kept"]


class SetSpec(Value):
    """Which trajectories make up a set, and how they are split."""

    kind: Kind
    """`synthesizer`: text to tools and conversation. `agent`: the conversation itself, with its tools."""
    refined: bool = True
    """False takes the drafts of the same trajectories, from before refinement."""
    judged: bool = True
    """False adds trajectories that passed the deterministic checks and that only the judge rejected."""
    audited: bool = False
    """Only dataset versions that passed an audit by people."""
    imported: str | None = None
    """Id of a set of conversations that a person imported: this set, regardless of the other fields."""
    sources: tuple[str, ...] = ()
    """Patterns (`*` and `?`) for a document's `source` (from its metadata, otherwise the registered one) or address."""
    partition: str | None = None
    """Only this partition; None takes the current version of every partition."""
    size: int | None = Field(default=None, ge=1)
    """Maximum number of trajectories to train on; larger sets of a seed contain the smaller ones."""
    validation_share: float = Field(default=0.05, ge=0, lt=1)
    test_share: float = Field(default=0.10, ge=0, lt=1)
    """Share of documents held out of training."""
    seed: int = 0


class Candidate(Value):
    """A trajectory that a set may include, as recorded in Postgres."""

    trajectory_id: str
    segment_id: str
    version: str
    """Version of the dataset."""
    partition: str
    shard: int
    document_uri: str
    group: str
    """Items that must stay in one split: all versions of one address, and copies with their originals."""
    source: str
    domain: str
    recipes: dict[str, str]
    """Recipe id by stage, from the dataset's manifest."""

    @property
    def stratum(self) -> str:
        """Source and first domain."""
        return f"{self.source} {self.domain}"


class SftSet(Value):
    """A set that was built: its row in `sft_sets`."""

    set_id: str
    spec: SetSpec
    versions: tuple[str, ...]
    """Dataset versions it was drawn from."""
    counts: dict[str, int]
    """Rows by split."""
    left_out: dict[str, int]
    """Candidates in no split, by reason."""
    location: str


class Model(Value):
    """A trained model: its row in `models`."""

    model_id: str
    name: str
    """A readable name such as `smoke-agent`."""
    base: str
    profile: str
    profile_sha256: str
    set_id: str | None
    """None for an untrained base."""
    location: str
    status: Status = "candidate"
    metrics: Json = Field(default_factory=dict)
    created_at: datetime | None = None
