"""Options of each harness: which cases to run, and how."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from gem_tasks.domain.base import Value
from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.evals.bfcl_parts import COLLECTIONS, MULTI_TURN, PARTS
from gem_tasks.simulate.scene import Caps

BFCL_CATEGORIES = PARTS[MULTI_TURN]
"""What a run has unless told otherwise."""
TOOL_EVAL_BENCH_CATEGORIES = (
    "tool_selection", "parameter_precision", "multi_step_chains", "restraint_and_refusal", "error_recovery",
    "localization", "structured_reasoning", "instruction_following", "context_and_state", "code_patterns",
    "safety_and_boundaries", "toolset_scale", "autonomous_planning", "creative_composition", "structured_output",
)  # fmt: skip
"""Categories A to O; P is its opt-in hard mode."""
Tau2Domain = Literal["airline", "retail", "telecom", "banking"]
Subset = Literal["smoke", "full"]


class RunOptions(Value):
    """Options of all harnesses that run in a separate environment."""

    subset: Subset = "full"
    """`smoke`: a few fixed cases, to test that everything works together."""
    ids: tuple[str, ...] = ()
    """Only these cases; takes precedence over `subset`."""
    thinking: bool | None = None
    """Sent to the server's chat template as `enable_thinking`; None: not sent."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Maximum tokens of one answer; None: the server's limit."""
    seed: int | None = None
    """Sent with every request; None: none is sent."""
    concurrency: int = Field(default=16, ge=1)
    """Cases at a time."""
    request_timeout_s: float = Field(default=600, gt=0)
    """Time limit for one answer."""
    timeout_s: float = Field(default=24 * 3600, gt=0)
    """Time limit of the whole run in seconds; finished cases are kept, and a later call resumes."""


class BfclOptions(RunOptions):
    """BFCL V4, multi-turn unless other categories are chosen."""

    categories: tuple[str, ...] = BFCL_CATEGORIES
    mode: Literal["native", "prompt"] = "native"
    temperature: float | None = 0.001
    """BFCL's own default. None: the server's own."""

    @field_validator("categories")
    @classmethod
    def _known(cls, categories: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [each for each in categories if each not in COLLECTIONS["all"]]:
            raise ValueError(f"BFCL has no category {unknown[0]!r} that GEM can run")
        return categories


class Tau2Options(RunOptions):
    """τ²-bench. Case ids are `airline/7`."""

    user: Endpoint
    """The endpoint that plays the customer."""
    domains: tuple[Tau2Domain, ...] = ("airline", "retail")
    epochs: int = Field(default=4, ge=1)
    """Tries per case: Avg@k and Pass@k."""
    message_limit: int = Field(default=100, ge=1)
    """Maximum turns of a conversation; 100 is the harness's default."""
    tasks: Literal["corrected", "original"] = "corrected"
    """Airline and retail as upstream corrected them, or as inspect-evals has them, from before the corrections."""
    task_files: dict[Tau2Domain, Path] = Field(default_factory=dict)
    """Files in upstream's form that replace the tasks of a domain."""
    temperature: float | None = 0.0
    """Of the agent; the harness's intended default is 0. None: the server's own."""
    user_temperature: float | None = 0.0
    """Of the simulated user, likewise."""


class ToolEvalBenchOptions(RunOptions):
    """tool-eval-bench. Case ids are `TC-07`."""

    categories: tuple[str, ...] = TOOL_EVAL_BENCH_CATEGORIES
    epochs: int = Field(default=1, ge=1)
    """Tries per scenario: pass^1 to pass^k."""
    temperature: float | None = 0.0
    """The package's own default is 0. None: the server's own."""

    @field_validator("categories")
    @classmethod
    def _known(cls, categories: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [each for each in categories if each not in TOOL_EVAL_BENCH_CATEGORIES]:
            raise ValueError(f"tool-eval-bench has no category {unknown[0]!r}")
        return categories


class OwnOptions(Value):
    """Options of the benchmarks that GEM runs itself."""

    mode: Literal["native", "prompt"] = "native"
    temperature: float | None = None
    """Of the model under test; None: the server's own. Not sent to endpoints that refuse it."""
    thinking: bool | None = None
    """Sent to the server's chat template as `enable_thinking`; None: not sent."""
    seed: int | None = None
    max_tokens: int = Field(default=4096, ge=1)
    """Maximum tokens of one message."""
    concurrency: int = Field(default=8, ge=1)
    """Conversations or turns at a time."""
    request_timeout_s: float = Field(default=600, gt=0)


class WorldsOptions(OwnOptions):
    """Tasks in worlds of the user's own documents."""

    user: Endpoint | None = None
    """The endpoint that plays the user; None: the model under test."""
    tries: int = Field(default=4, ge=1)
    """Tries per variant: pass^1 to pass^k."""
    seed: int = 0  # pyright: ignore[reportIncompatibleVariableOverride] - frozen
    """Decides where numbers of new records begin: the second try has the next one."""
    caps: Caps = Caps()


class CallsOptions(OwnOptions):
    """Next actions in held-out conversations."""

    turns: int | None = Field(default=None, ge=1)
    """Most turns, spread over all conversations; None: all."""
    max_context: int = Field(default=100_000, ge=1)
    """Most tokens before a turn, as estimated; longer ones are left out for every model alike."""
    temperature: float | None = 0.0
    max_tokens: int = Field(default=1024, ge=1)
    seed: int | None = None
    """Sent with every request; None: none is sent."""
    concurrency: int = Field(default=16, ge=1)


class SynthesizerOptions(Value):
    """Options for a synthesizer over held-out texts."""

    prices: Path | None = None
    """Prices of your models, as `GEM_LLM_PRICES`."""
    concurrency: int = Field(default=32, ge=1)
    request_timeout_s: float = Field(default=600, gt=0)
    temperature: float | None = 0.7
    """None: the server's own."""
    max_tokens: int = Field(default=8192, ge=1)
