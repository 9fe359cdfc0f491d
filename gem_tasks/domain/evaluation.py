"""What a model is worth: one evaluation of one endpoint in one harness.

A score is a mean over categories of means over cases, so that a large category does not drown a small one; BFCL and the
paper average alike. Its standard error treats cases as a sample and the epochs of a case as one cluster.
"""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from gem_tasks.domain.base import Json, Value

Harness = Literal["bfcl", "tau2", "synthesizer"]
HARNESSES: tuple[Harness, ...] = ("bfcl", "tau2", "synthesizer")
OVERALL = "overall"
"""The category that stands for all."""


class Endpoint(Value):
    """An OpenAI-compatible server and the model to ask there."""

    base_url: str
    """Ends in `/v1`."""
    model: str
    api_key: SecretStr | None = None

    @field_validator("base_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def key(self) -> str | None:
        """The key in clear: for a client or a child's environment only, never for a log, a file or an argument."""
        return self.api_key.get_secret_value() if self.api_key else None


class CaseScore(Value):
    """How one try at one case ended."""

    case_id: str
    category: str
    score: float
    """0 to 1."""
    epoch: int = 1
    """Which try, from 1."""
    error: str | None = None
    """Why there was no real try, such as an endpoint that did not answer; scored 0 all the same, as harnesses do."""


class Score(Value):
    """A number with what is needed to judge it."""

    category: str
    """`overall`, or a category of the harness."""
    metric: str
    """`accuracy`, `avg@4`, `pass@4`, …"""
    value: float
    standard_error: float | None
    """None where a single case leaves it unknown."""
    cases: int


class RunSettings(Value):
    """What has to be equal for two evaluations to be comparable, and what a reader must know."""

    version: str
    """Of the harness: `bfcl-eval 2026.3.23`."""
    subset: str
    """`full`, `smoke`, or `ids:` and a hash of them."""
    mode: Literal["native", "prompt"] = "native"
    """Native tool calls, or calls written into text."""
    thinking: bool | None = None
    """As asked of the server's chat template; None: its default."""
    temperature: float | None = None
    seed: int | None = None
    epochs: int = 1
    user_model: str | None = None
    """Of the simulated user."""
    extra: Json = Field(default_factory=dict)
    """What only this harness has."""


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
    """Further numbers: tokens, money, latency, diversity."""

    @property
    def errors(self) -> int:
        """Tries that were none, because something failed outside the model."""
        return sum(case.error is not None for case in self.cases)

    def score(self, category: str = OVERALL, metric: str | None = None) -> Score:
        """The score of a category; of several metrics the first.

        Raises:
            KeyError: there is none.
        """
        for found in self.scores:
            if found.category == category and metric in (None, found.metric):
                return found
        raise KeyError(f"{self.harness} has no {metric or 'score'} of {category}")
