"""The quality of a model: one evaluation of one endpoint in one harness.

A score is a mean over categories of means over cases, so that a large category does not outweigh a small one; BFCL and
the paper average alike. Its standard error treats cases as a sample and the epochs of a case as one cluster.
"""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from gem_tasks.domain.base import Json, Value

Harness = Literal["bfcl", "tau2", "tool-eval-bench", "worlds", "calls", "synthesizer"]
HARNESSES: tuple[Harness, ...] = ("bfcl", "tau2", "tool-eval-bench", "worlds", "calls", "synthesizer")
_OUTSIDE = ("bfcl-eval ", "inspect-evals ", "tool-eval-bench ")
"""Harnesses of others. In GEM's harnesses, the subset names the tasks."""
OVERALL = "overall"
"""The category of the total."""


class Endpoint(Value):
    """An OpenAI-compatible server and the model to ask."""

    base_url: str
    """Ends in `/v1`."""
    model: str
    api_key: SecretStr | None = None
    one_at_a_time: bool = False
    """It answers one request after another, slowly, also those that the client has abandoned."""

    @field_validator("base_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def key(self) -> str | None:
        """The key in clear text: for a client or a child's environment only, never for a log, a file or an argument."""
        return self.api_key.get_secret_value() if self.api_key else None


class CaseScore(Value):
    """The result of one attempt at one case."""

    case_id: str
    category: str
    score: float
    """0 to 1."""
    epoch: int = 1
    """Number of the attempt, from 1."""
    error: str | None = None
    """Why the attempt failed outside the model, such as an endpoint without an answer; scored 0, as harnesses do."""


class Score(Value):
    """A score with the figures needed to judge it."""

    category: str
    """`overall`, or a category of the harness."""
    metric: str
    """`accuracy`, `avg@4`, `pass@4`, …"""
    value: float
    standard_error: float | None
    """None if a single case leaves it unknown."""
    interval: tuple[float, float] | None = None
    """At 95 %, by a bootstrap over cases; None if it was not computed."""
    cases: int


class RunSettings(Value):
    """Settings that two comparable evaluations share, and that a reader must know."""

    version: str
    """Version of the harness: `bfcl-eval 2026.3.23`."""
    subset: str
    """`full`, `smoke`, or `ids:` and a hash of them."""
    mode: Literal["native", "prompt"] = "native"
    """Native tool calls, or calls written into text."""
    thinking: bool | None = None
    """As set in the server's chat template; None: its default."""
    temperature: float | None = None
    seed: int | None = None
    epochs: int = 1
    user_model: str | None = None
    """Name of the simulated user's model."""
    revision: str | None = None
    """Where the harness's tasks come from, and which correction of them: `tau2-bench 1.0.0, corrected`."""
    tasks_sha256: str | None = None
    """Hash of the tasks that the harness loaded; None for evaluations from before GEM kept it."""
    extra: Json = Field(default_factory=dict)
    """Settings of this harness only."""

    @property
    def summary(self) -> str:
        """All that a reader of a score must know, on one line: harness, tasks, cases, calls, thinking, seed, user."""
        switch = {True: "on", False: "off", None: "server default"}
        temperature = "server default" if self.temperature is None else self.temperature
        outside = self.revision or self.version.startswith(_OUTSIDE)
        said = [self.version, *([f"tasks: {self.tasks}"] if outside else []), self.subset, f"{self.mode} calls"]
        said += [f"thinking {switch[self.thinking]}", f"temperature {temperature}", f"seed {self.seed}"]
        said += [f"{self.epochs} tries"] if self.epochs > 1 else []
        said += [f"user {self.user_model}"] if self.user_model else []
        return "; ".join(said)

    @property
    def tasks(self) -> str:
        """The tasks in a few words: their revision, and the beginning of their hash."""
        digest = self.tasks_sha256[:8] if self.tasks_sha256 else ""
        return " ".join(filter(None, (self.revision, f"#{digest}" if digest else ""))) or "unknown revision"


class EvalReport(Value):
    """The result of one evaluation."""

    harness: Harness
    model: str
    scores: tuple[Score, ...]
    """Overall first, then by category."""
    cases: tuple[CaseScore, ...]
    settings: RunSettings
    seconds: float
    """Wall time, without installing the harness."""
    measures: Json = Field(default_factory=dict)
    """Further figures: tokens, money, latency, diversity."""

    @property
    def errors(self) -> int:
        """Number of attempts that failed outside the model."""
        return sum(case.error is not None for case in self.cases)

    def score(self, category: str = OVERALL, metric: str | None = None) -> Score:
        """The score of a category; the first if it has several metrics.

        Raises:
            KeyError: there is none.
        """
        for found in self.scores:
            if found.category == category and metric in (None, found.metric):
                return found
        raise KeyError(f"{self.harness} has no {metric or 'score'} of {category}")
