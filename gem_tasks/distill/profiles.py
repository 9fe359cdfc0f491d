"""Training profiles: `envs/train/profiles/NAME.yaml`, those in the deployment's folder, or the user's own file.

A run names a profile; only `gem distill train`, typed on the user's own machine, accepts a file.

A profile is everything that determines a model except the data: base, method, hyperparameters, and the kind of set.
TRL checks the section `sft`, which uses its vocabulary; this module checks the rest.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.distill import Kind, SetSpec
from gem_tasks.errors import UserError
from gem_tasks.plain_yaml import read_yaml
from gem_tasks.resources import shipped

NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
"""Name of a profile, without dots and slashes, so that it is never a path."""
_MOST_CHARACTERS = 100_000


class Shape(Value):
    """Sizes of a Qwen3 model with random weights."""

    hidden: int
    feed_forward: int
    layers: int
    heads: int
    key_value_heads: int
    head_size: int
    vocabulary: int = Field(ge=512)
    max_positions: int


class Base(Value):
    """The origin of the weights: one of the two."""

    path: str | None = None
    """A folder, an id of the Hugging Face hub, or a model of `packaged.KNOWN`."""
    scratch: Shape | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Base":
        if (self.path is None) == (self.scratch is None):
            raise ValueError("give `path` or `scratch`")
        return self


class Profile(Value):
    """One way to train."""

    name: str = Field(pattern=f"^{NAME}$")
    """Becomes part of paths and keys."""
    kind: Kind
    model: Base
    chat_template: str | None = Field(default=None, pattern="^[A-Za-z0-9_]{1,64}$")
    """TRL's name of a template; None keeps the model's own."""
    too_long: Literal["drop", "truncate"] = "drop"
    """How to treat conversations over `max_length`."""
    reasoning: bool = False
    """Whether to train on the conversations' private thoughts, with the template of the base; False leaves them out."""
    max_cpu_minutes: float | None = Field(default=None, gt=0)
    """Stops the training after this time, before `max_steps` if necessary; time before a resumed checkpoint counts."""
    launch: Literal["fsdp2", "zero3"] | None = None
    """How accelerate distributes the training over GPUs; None: one process."""
    batch: int | None = Field(default=None, ge=1)
    """Rows per step over all processes; None: as in `sft`."""
    sft: Json
    lora: Json | None = None
    set: Json = Field(default_factory=dict)
    """Fields of `SetSpec` that this profile sets."""
    measure: Json = Field(default_factory=dict)
    """Defaults of `experiment.Options` that a person may change."""
    seed: int = 0

    @model_validator(mode="after")
    def _thoughts_of_agents(self) -> "Profile":
        if self.reasoning and self.kind != "agent":
            raise ValueError("only agents have thoughts: the text that a synthesizer writes has none")
        return self

    @property
    def sha256(self) -> str:
        """Hash of everything that determines the weights, given a set."""
        unchanged = set[str]() if self.reasoning else {"reasoning"}  # models from before the field keep their ids
        excluded = {"name", "set", "measure", *unchanged}
        return sha256(json.dumps(self.model_dump(exclude=excluded), sort_keys=True).encode()).hexdigest()

    @property
    def base(self) -> str:
        """The name of the base model."""
        return self.model.path or "scratch"

    def spec(self, **changes: object) -> SetSpec:
        """The profile's set, with the changes that are not None."""
        wanted = {name: value for name, value in changes.items() if value is not None}
        return SetSpec.model_validate({"kind": self.kind, "seed": self.seed, **self.set, **wanted})


_KNOWN = frozenset({*Profile.model_fields, *Base.model_fields, *Shape.model_fields, *SetSpec.model_fields})


def names() -> list[str]:
    """Profiles that come with GEM."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def named(name: str, folder: Path | None = None, **changes: object) -> Profile:
    """A shipped profile, or one in the deployment's folder, by name; with changes that are not None.

    Raises:
        UserError: there is none, or it is invalid.
    """
    places = [each for each in (_folder(), folder) if each]
    if re.fullmatch(NAME, name):
        for place in places:
            if (path := place / f"{name}.yaml").is_file():
                return _read(path, changes)
    own = f" Put your own profiles into the folder that GEM_PROFILES names{f' ({folder})' if folder else ''}."
    raise UserError(f"There is no training profile {name[:80]!r}", f"Choose one of {', '.join(names())}.{own}")


def load(name: str, folder: Path | None = None, **changes: object) -> Profile:
    """Like `named`, but also accepts a file: for a command on the user's own machine, never for a name from a run.

    Raises:
        UserError: there is none, or it is invalid.
    """
    own = Path(name)
    if own.suffix not in (".yaml", ".yml"):
        return named(name, folder, **changes)
    if not own.is_file():
        raise UserError(
            f"There is no training profile {name!r}", f"Choose one of {', '.join(names())}, or a YAML file."
        )
    return _read(own, changes)


def changed(profile: Profile, **changes: object) -> Profile:
    """A copy with the changes that are not None."""
    wanted = {key: value for key, value in changes.items() if value is not None}
    return Profile.model_validate({**profile.model_dump(), **wanted})


def _read(path: Path, changes: Mapping[str, object]) -> Profile:
    """Reads a profile. Errors name position and rule, but no value: the file may contain secrets.

    Raises:
        UserError: it is not a profile.
    """
    wanted = {key: value for key, value in changes.items() if value is not None}
    try:
        data = _parsed(path)
        profile = Profile.model_validate({"name": path.stem, **data, **wanted})
        profile.spec()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{path.name} is not valid YAML{line}", "Compare it with the shipped profiles.") from None
    except ValidationError as error:
        first = error.errors()[0]
        known = [str(part) for part in first["loc"] if str(part) in _KNOWN]
        raise UserError(
            f"{path.name}: {'.'.join(known) or 'the file'}: {first['msg']}", "Correct the profile."
        ) from None
    except (yaml.YAMLError, TypeError, ValueError, OSError, RecursionError):
        raise UserError(f"{path.name} is not a profile", "Compare it with the shipped profiles.") from None
    return profile


def _parsed(path: Path) -> Json:
    """Parses a small YAML file.

    Raises:
        yaml.YAMLError, RecursionError: see `read_yaml`.
        ValueError: it is too large, or not a mapping.
    """
    with path.open(encoding="utf-8") as file:
        text = file.read(_MOST_CHARACTERS + 1)
    if len(text) > _MOST_CHARACTERS:
        raise ValueError("too large")
    found = read_yaml(text)
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError("no mapping")
    return found  # pyright: ignore[reportUnknownVariableType]


def _folder() -> Path:
    return shipped("envs") / "train" / "profiles"
