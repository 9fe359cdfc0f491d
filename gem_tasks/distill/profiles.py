"""Training profiles: `envs/train/profiles/NAME.yaml`, or a file of one's own.

A profile is everything that determines a model but the data: base, method, hyperparameters, and which set it asks for.
What is under `sft` is TRL's own vocabulary and is checked there; the rest is checked here.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.distill import Kind, SetSpec
from gem_tasks.errors import UserError
from gem_tasks.resources import shipped


class Shape(Value):
    """Sizes of a Qwen3 that is made from nothing."""

    hidden: int
    feed_forward: int
    layers: int
    heads: int
    key_value_heads: int
    head_size: int
    vocabulary: int = Field(ge=512)
    max_positions: int


class Base(Value):
    """Where the weights come from: one of the two."""

    path: str | None = None
    """A folder, or an id of the Hugging Face hub."""
    scratch: Shape | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Base":
        if (self.path is None) == (self.scratch is None):
            raise ValueError("give `path` or `scratch`")
        return self


class Profile(Value):
    """One way to train."""

    name: str
    kind: Kind
    model: Base
    chat_template: str | None = None
    """TRL's name of a template; None keeps the model's own."""
    too_long: Literal["drop", "truncate"] = "drop"
    """What becomes of conversations over `max_length`."""
    max_cpu_minutes: float | None = Field(default=None, gt=0)
    """Stop training then, whatever the steps say; what a killed training spent until its checkpoint counts."""
    launch: Literal["fsdp2", "zero3"] | None = None
    """How accelerate spreads it over GPUs; None: one process."""
    batch: int | None = Field(default=None, ge=1)
    """Rows per step over all processes; None: what `sft` says."""
    sft: Json
    lora: Json | None = None
    set: Json = Field(default_factory=dict)
    """Fields of `SetSpec` that this profile asks for."""
    measure: Json = Field(default_factory=dict)
    """Fields of `experiment.Options` that hold unless a person says otherwise."""
    seed: int = 0

    @property
    def sha256(self) -> str:
        """Of everything that determines the weights, given a set."""
        return sha256(
            json.dumps(self.model_dump(exclude={"name", "set", "measure"}), sort_keys=True).encode()
        ).hexdigest()

    @property
    def base(self) -> str:
        """What people call the model it starts from."""
        return self.model.path or "scratch"

    def spec(self, **changes: object) -> SetSpec:
        """The set it asks for, with changes that are not None."""
        wanted = {name: value for name, value in changes.items() if value is not None}
        return SetSpec.model_validate({"kind": self.kind, "seed": self.seed, **self.set, **wanted})


def names() -> list[str]:
    """Profiles that come with GEM."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def load(name: str, **changes: object) -> Profile:
    """A shipped profile by name, or one in a file, with changes that are not None.

    Raises:
        UserError: there is none, or it does not make sense.
    """
    own = Path(name)
    path = own if own.suffix in (".yaml", ".yml") else _folder() / f"{name}.yaml"
    if not path.is_file():
        raise UserError(
            f"There is no training profile {name!r}", f"Choose one of {', '.join(names())}, or a YAML file."
        )
    wanted = {key: value for key, value in changes.items() if value is not None}
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        profile = Profile.model_validate({"name": path.stem, **data, **wanted})
        profile.spec()
    except (yaml.YAMLError, TypeError) as error:
        raise UserError(f"{path} is no profile: {str(error)[:200]}", "Compare it with the shipped ones.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise UserError(f"{path}: {where}: {first['msg']}", "Correct the profile.") from None
    return profile


def _folder() -> Path:
    return shipped("envs") / "train" / "profiles"
