"""An experiment: arms that differ in one respect, trained, served and measured in the same way, and one report. Pure.

The plan is made once, as a value, and passed from task to task, so that a retry does the same as the first try.
"""

import tomllib
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from gem_tasks.distill import profiles
from gem_tasks.distill.profiles import Profile
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.distill import Kind, SetSpec
from gem_tasks.domain.evaluation import HARNESSES, Harness
from gem_tasks.errors import UserError
from gem_tasks.evals.options import Subset

DEFAULT = "distill"
HELD_OUT = "held out"
_OF_KIND: dict[Kind, tuple[Harness, ...]] = {
    "agent": ("bfcl", "tau2", "tool-eval-bench", "worlds", "calls"), "synthesizer": ("synthesizer",),
}  # fmt: skip


class Arm(Value):
    """One model of an experiment."""

    name: str
    base: bool = False
    """The base itself, with no training."""
    set: Json = Field(default_factory=dict)
    """Fields of `SetSpec` that distinguish this arm."""
    tests: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """For a synthesizer: patterns of sources by label; it is measured on their held-out texts."""


class Experiment(Value):
    """An experiment as `experiments.toml` describes it."""

    name: str
    title: str
    question: str
    kind: Kind | None = None
    """None: the profile's."""
    paper: tuple[str, ...] = ()
    """Rows of the paper to show next to GEM's."""
    needs_sources: bool = False
    arms: tuple[Arm, ...]


class Options(Value):
    """Choices of a person or a DAG run."""

    experiment: str = DEFAULT
    profile: str = "smoke"
    model: str | None = None
    """A folder or hub id instead of the profile's base."""
    kind: Kind | None = None
    size: int | None = Field(default=None, ge=1)
    refined: bool | None = None
    audited: bool = False
    imported: str | None = None
    """Id of a set that `gem distill import` made, instead of the published trajectories."""
    sources: tuple[str, ...] = ()
    """Patterns; for cross-domain the first is A and the second B."""
    seed: int = 0
    harnesses: tuple[Harness, ...] = HARNESSES
    """Those that fit the kind of the model are run."""
    subset: Subset = "smoke"
    bfcl_ids: tuple[str, ...] = ()
    tau2_ids: tuple[str, ...] = ()
    tool_eval_bench_ids: tuple[str, ...] = ()
    epochs: int = Field(default=4, ge=1)
    """Tries per case of τ²-bench, tool-eval-bench and worlds."""
    tasks: int | None = Field(default=None, ge=1)
    """Maximum number of held-out tasks in worlds."""
    turns: int | None = Field(default=None, ge=1)
    """Maximum number of turns of held-out conversations."""
    texts: int | None = Field(default=None, ge=1)
    """Maximum number of held-out texts for a synthesizer."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Maximum tokens of one answer."""
    message_limit: int = Field(default=100, ge=2)
    """Maximum messages of a τ² conversation."""
    request_timeout_s: float = Field(default=600, gt=0)
    user_url: str | None = None
    """The model that plays the user in τ²-bench and worlds. None: the pipeline's, or the tested one if that is the
    teacher."""
    user_model: str | None = None
    endpoint_url: str | None = None
    """Measure this server instead of training and serving one."""
    endpoint_model: str | None = None


class Plan(Value):
    """An experiment with its profile, arms and options resolved."""

    plan_id: str
    """Names the folder of its results."""
    options: Options
    experiment: Experiment
    kind: Kind
    harnesses: tuple[Harness, ...]
    chosen: Profile | None = None
    """The profile as it was when the run was planned; None in plans of earlier versions."""

    @property
    def profile(self) -> Profile:
        """The training profile, with the options' changes."""
        own = self.options
        base = {"path": own.model, "scratch": None} if own.model else None
        return profiles.changed(self.chosen or profiles.named(own.profile), kind=self.kind, model=base, seed=own.seed)

    def spec(self, arm: Arm, sources: tuple[str, ...] | None = None) -> SetSpec:
        """The set of an arm: the profile's, changed by the arm, then by the person's options."""
        own = self.options
        changes: dict[str, Any] = {
            "size": own.size,
            "refined": own.refined,
            "audited": own.audited or None,
            "imported": own.imported,
        }
        if own.sources and not self.experiment.needs_sources:
            changes["sources"] = own.sources
        wanted = {name: value for name, value in changes.items() if value is not None and name not in arm.set}
        sizes = (own.size or self.profile.set.get("size"), arm.set.get("size"))
        smaller = min(filter(None, sizes), default=None)
        merged = {**arm.set, **wanted, **({"size": smaller} if smaller else {})}
        if sources is not None:
            merged["sources"] = sources
        return self.profile.spec(**merged)

    @property
    def external(self) -> bool:
        """Whether the run measures an existing endpoint, without training or serving a model."""
        return self.options.endpoint_url is not None


@cache
def experiments() -> dict[str, Experiment]:
    """All experiments by name, in the file's order."""
    data = tomllib.loads(files(__package__ or __name__).joinpath("experiments.toml").read_text(encoding="utf-8"))
    return {name: Experiment.model_validate({"name": name, **values}) for name, values in data.items()}


def require_whole(*selections: object) -> None:
    """Refuses selections beside an imported set, which is trained on as a whole.

    Raises:
        UserError: there is one.
    """
    if any(selections):
        raise UserError(
            "An imported set is trained on as a whole",
            "Choose with `gem distill import`, and leave out --size, --source, --unrefined and --audited.",
        )


def plan(options: Options, now: datetime | None = None, folder: Path | None = None) -> Plan:
    """Plans an experiment.

    Args:
        options: the requested options; a profile is given by its name.
        now: time for the name of the plan.
        folder: the deployment's own profiles.

    Raises:
        UserError: the experiment, the profile or the combination does not exist.
    """
    if options.experiment not in experiments():
        known = ", ".join(experiments())
        raise UserError(f"There is no experiment {options.experiment!r}", f"Choose one of: {known}.")
    if (options.endpoint_url is None) != (options.endpoint_model is None):
        raise UserError("An endpoint needs a URL and a model", "Give both, or neither.")
    found = experiments()[options.experiment]
    profile = profiles.named(options.profile, folder)
    given = options.model_fields_set
    options = options_of({**options.model_dump(), **{k: v for k, v in profile.measure.items() if k not in given}})
    if options.imported and options.experiment != DEFAULT:
        raise UserError(
            f"The arms of {found.name} are selections of published trajectories, not an imported set",
            "Name a set only without --experiment.",
        )
    if options.imported:
        require_whole(options.size, options.sources, options.audited, options.refined is not None)
    kind = found.kind or options.kind or profile.kind
    harnesses: tuple[Harness, ...] = tuple(name for name in _OF_KIND[kind] if name in options.harnesses)
    if not harnesses:
        raise UserError(f"No chosen harness suits a model of kind {kind}", f"Choose from: {', '.join(_OF_KIND[kind])}.")
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S")
    return Plan(
        plan_id=f"{found.name}-{profile.name}-{stamp}",
        options=options,
        experiment=_concrete(found, options),
        kind=kind,
        harnesses=harnesses,
        chosen=profile,
    )


def options_of(values: Json) -> Options:
    """Options from params or a command line; None keeps the default.

    Raises:
        UserError: a value is invalid.
    """
    try:
        return Options.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", "Correct that option.") from None


def _concrete(found: Experiment, options: Options) -> Experiment:
    """Replaces `@a` and `@b` by sources; uses one arm for an external endpoint."""
    if options.endpoint_model:
        tests: Json = {} if found.needs_sources is False else {"tests": found.arms[0].tests}
        found = found.model_copy(update={"arms": (Arm(name=options.endpoint_model, **tests),)})
    if not found.needs_sources:
        return found
    if len(options.sources) != 2:
        raise UserError(f"{found.name} compares two sources", "Give two patterns: --source 'a*' --source 'b*'.")
    named: dict[str, str] = {"@a": options.sources[0], "@b": options.sources[1]}
    arms = tuple(
        arm.model_copy(
            update={
                "set": {**arm.set, **({"sources": tuple(named[key] for key in arm.set["sources"])} if arm.set else {})},
                "tests": {label: tuple(named[key] for key in keys) for label, keys in arm.tests.items()},
            }
        )
        for arm in found.arms
    )
    return found.model_copy(update={"arms": arms})
