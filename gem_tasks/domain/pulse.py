"""What a running task says about itself every few seconds, for `gem top`: numbers and names, no text of anyone."""

from pydantic import Field

from gem_tasks.domain.base import Value


class EndpointPulse(Value):
    """How one endpoint serves the task."""

    asks_for: str
    """The stage, or the simulated user."""
    endpoint: str
    """Its URL without the parts that may contain a secret."""
    model: str
    in_flight: int
    """Requests that are sent and unanswered."""
    limit: int
    """Requests that GEM now allows in flight; it adapts to the endpoint."""
    ceiling: int
    """The most that it may become."""
    waiting: int
    """Calls that wait for their turn."""
    halved: int
    """How often the limit was halved, because the endpoint refused too many requests."""
    paused_s: float
    """Seconds until GEM sends again, because the endpoint asked for a pause; 0 if it sends now."""
    requests: int
    faults: dict[str, int] = Field(default_factory=dict)
    """Requests without an answer, by class."""


class Pulse(Value):
    """One stage over one shard, while it runs. Counts are those of this try."""

    run_id: str
    """Airflow's run, or the one that `gem synth` gave itself; empty in a notebook."""
    stage: str
    recipe_id: str
    partition: str
    shard: int
    records: int
    """Records without an outcome when the try began."""
    done: int
    replayed: int
    """Answers that came from the journal instead of the endpoint."""
    tokens: int
    usd: float | None = None
    """None if no price is known."""
    done_per_s: float
    """This and the other rates: over the last half a minute, or since the try began."""
    requests_per_s: float
    tokens_per_s: float
    latency_s: float | None = None
    """Median of the latest requests; None before the first answer."""
    slow_s: float | None = None
    """95th percentile of the latest requests."""
    endpoints: tuple[EndpointPulse, ...] = ()
    started_at: float
    """Seconds since 1970, by the clock of the worker."""
    at: float
    """The same for this pulse."""
