"""What one unit costs, as measured on two cores (docs/scaling.md), and what a deployment brings."""

from dataclasses import dataclass

HOUR, DAY = 3_600.0, 86_400.0


@dataclass(frozen=True)
class Stage:
    """A stage of the line. Tokens are those of a call; `accepted` is the share of segments that continue."""

    name: str
    tokens_in: int
    tokens_out: int
    accepted: float


LINE = (
    Stage("filter", 1_160, 60, 0.14),
    Stage("extract", 1_280, 1_790, 1.0),
    Stage("generate", 2_470, 1_450, 1.0),
    Stage("refine", 3_450, 3_850, 1.0),
    Stage("validate", 4_970, 75, 1.0),
)


@dataclass(frozen=True)
class Costs:
    """Unit costs. Those marked *assumed* were not measured here."""

    segments_per_document: float = 2.6
    ingest_documents_per_s: float = 306
    """One source. Commits take half of the time, under one lock: many sources are at most twice as fast."""
    ingest_speed_up: float = 2
    bands: int = 16
    """Rows of the near-duplicate index that a new segment reads."""
    index_bytes_per_segment: float = 1_900
    task_scheduler_s: float = 0.14
    """Of the scheduler, one task after the other: half of the 0.275 s of a trivial task (the split is *assumed*)."""
    task_start_s: float = 0.3
    """Process start and imports on the worker."""
    tasks_per_partition: int = 17
    """Plans, gates, discovery, publication: tasks that are not shards."""
    row_bytes: float = 460
    """A result with its indexes."""
    key_bytes: float = 96
    """Primary key of a result: it has to be in memory, unless it begins with the partition."""
    warm_rows_per_s: float = 23_292
    cold_rows_per_s: float = 1_944
    partition_key_rows_per_s: float = 34_339
    first_token_s: float = 0.5
    """*Assumed*, as is the speed of an answer."""
    tokens_per_s: float = 60


@dataclass(frozen=True)
class Deployment:
    """What a team runs and pays. All of it is a choice, except how often things fail (*assumed*)."""

    workers: int = 8
    slots: int = 8
    """Tasks at once on a worker."""
    calls_per_task: int = 64
    in_flight: int = 2_048
    """Calls that the endpoint answers at once."""
    shard: int = 5_000
    postgres_memory: float = 16e9
    postgres_reads_per_s: float = 20_000
    """Random reads of 8 kB from its disk."""
    partition_key: bool = True
    """Whether keys of results begin with the partition."""
    price_in: float = 0.15e-6
    price_out: float = 0.60e-6
    outage_every_s: float = 5 * DAY
    outage_s: float = 30 * 60
    worker_lost_every_s: float = 30 * DAY
    lost_task_s: float = 330
    """Until Airflow notices a lost worker and starts its task again; the journal has all but the last seconds."""
