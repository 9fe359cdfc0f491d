"""Menus from which plans are drawn: options with weights and words, in YAML. A menu that a file leaves out is ours."""

import json
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Any, cast

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from gem_tasks.domain.base import Value
from gem_tasks.plain_yaml import read_yaml
from gem_tasks.plans import exclusions

MOST_PATTERNS = 4
FEWEST_TURNS = 2
"""The check `complexity` refuses a conversation with fewer turns of the user."""
FEWEST_MESSAGES = 10
"""System turn, two turns of user and assistant, and three calls with their results, in parallel."""
MOST_MESSAGES = 200
LARGEST_CHARS = 64 * 1024
_MOST_WORDS = 1000
_NAME = r"^[a-z][a-z0-9_]{0,39}$"

Name = Annotated[str, Field(pattern=_NAME)]
Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Range = tuple[int, int]


class MenusError(ValueError):
    """The text holds no menus; the message says where and why."""


class Weighed(Value):
    """Fields that an option of every menu has."""

    weight: Weight
    not_with: tuple[str, ...] = ()
    """Options of other menus, and patterns, as `menu.option`, that no plan has beside it."""

    @field_validator("not_with", mode="before")
    @classmethod
    def _list(cls, found: object) -> object:
        if isinstance(found, str):
            raise ValueError(f"must be a list, such as [{found}]")
        return found

    @field_validator("not_with")
    @classmethod
    def _set(cls, found: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(found)))


class Option(Weighed):
    """One thing that a conversation may be."""

    says: str = Field(min_length=1, max_length=_MOST_WORDS)


class Length(Weighed):
    """How long a conversation may be, ends included."""

    messages: Range
    user_turns: Range
    patterns: int = Field(ge=0, le=MOST_PATTERNS)
    """Most patterns that it has room for."""

    @field_validator("messages")
    @classmethod
    def _messages(cls, found: Range) -> Range:
        return _range(found, FEWEST_MESSAGES, MOST_MESSAGES)

    @field_validator("user_turns")
    @classmethod
    def _turns(cls, found: Range) -> Range:
        return _range(found, FEWEST_TURNS, MOST_MESSAGES)

    @model_validator(mode="after")
    def _room(self) -> "Length":
        if 2 * self.user_turns[1] + 1 > self.messages[0]:
            raise ValueError(f"{self.user_turns[1]} turns of the user do not fit into {self.messages[0]} messages")
        return self


Menu = Annotated[dict[Name, Option], Field(min_length=1, max_length=50)]


class Menus(Value):
    """All menus. Their order, the order of options, and comments make no difference."""

    temper: Menu
    expertise: Menu
    verbosity: Menu
    register_: Menu = Field(alias="register")
    disclosure: Menu
    language: Menu
    opening: Menu
    ending: Menu
    change_of_mind: Menu
    look_alikes: Menu
    voice: Menu
    system_turn: Menu
    parallel_calls: Menu
    length: Annotated[dict[Name, Length], Field(min_length=1, max_length=50)]
    pattern_count: Annotated[dict[Annotated[int, Field(ge=0, le=MOST_PATTERNS)], Weight], Field(min_length=1)]
    patterns: Menu

    @model_validator(mode="after")
    def _weighed(self) -> "Menus":
        for name, menu in self.by_name.items():
            if not any(_weight(option) for option in menu.values()):
                raise ValueError(f"{name}: no option has a weight above 0")
        if same := sorted(self.patterns.keys() & self.by_name.keys()):
            raise ValueError(f"patterns: {same[0]!r} is the name of a menu; choose another")
        if wrong := exclusions.fault(self._not_with):
            raise ValueError(wrong)
        return self

    @property
    def by_name(self) -> dict[str, dict[Any, Any]]:
        """Every menu by the name that it has in the file."""
        return {(field.alias or name): getattr(self, name) for name, field in type(self).model_fields.items()}

    @property
    def _not_with(self) -> dict[str, tuple[str, ...]]:
        return {
            f"{menu}.{name}": option.not_with
            for menu, options in self.by_name.items()
            for name, option in options.items()
            if isinstance(option, Weighed)
        }

    @cached_property
    def excluded(self) -> dict[str, frozenset[str]]:
        """What no plan has beside an option, both as `menu.option`; an option that goes with all is missing."""
        return exclusions.both_ways(self._not_with)

    @cached_property
    def text(self) -> str:
        """Canonical: as lineage keeps it, and as `parse_menus` reads it again. No `not_with` where it is empty."""
        found = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps(found, sort_keys=True, indent=1, ensure_ascii=False)

    @cached_property
    def sha256(self) -> str:
        """Of the canonical text, hex."""
        return sha256(self.text.encode()).hexdigest()


def parse_menus(text: str) -> Menus:
    """Menus from YAML (or JSON), completed with ours.

    Raises:
        MenusError: it is too large, not YAML, or holds something that no plan can be drawn from.
    """
    found = _loaded(text)
    unknown = sorted(str(name) for name in found.keys() - _names())
    if unknown:
        raise MenusError(f"there is no menu {unknown[0]!r}; there are {', '.join(sorted(_names()))}")
    return _menus(_beside(found, _loaded(_ours())) | found)


@cache
def shipped() -> Menus:
    """Ours."""
    return _menus(_loaded(_ours()))


def _beside(found: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Ours, excluding no option that a menu of the file replaced."""

    def there(name: str) -> bool:
        menu, _, option = name.partition(".")
        return not isinstance(found.get(menu), dict) or option in found[menu]

    for option in (option for menu in ours.values() for option in menu.values()):
        if isinstance(option, dict) and "not_with" in option:
            option["not_with"] = [name for name in cast("list[str]", option["not_with"]) if there(name)]
    return ours


def _weight(option: Weighed | float) -> float:
    return option if isinstance(option, int | float) else option.weight


def _range(found: Range, least: int, most: int) -> Range:
    if not least <= found[0] <= found[1] <= most:
        raise ValueError(f"must be [from, to] with {least} <= from <= to <= {most}")
    return found


def _names() -> set[str]:
    return {field.alias or name for name, field in Menus.model_fields.items()}


@cache
def _ours() -> str:
    return files(__package__ or __name__).joinpath("plans.yaml").read_text(encoding="utf-8")


def _loaded(text: str) -> dict[str, Any]:
    if len(text) > LARGEST_CHARS:
        raise MenusError(f"it has {len(text)} characters; menus have at most {LARGEST_CHARS}")
    try:
        found = read_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MenusError(f"it is not YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(found, dict):
        raise MenusError("it must hold menus by name, such as `temper:` with its options below")
    return {str(name): _named(menu) for name, menu in cast("dict[Any, Any]", found).items()}


def _named(menu: Any) -> Any:
    """YAML 1.1 reads `yes` and `no` as truth values; here they are names."""
    if not isinstance(menu, dict):
        return menu
    names = {True: "yes", False: "no"}
    return {names[key] if isinstance(key, bool) else key: each for key, each in cast("dict[Any, Any]", menu).items()}


def _menus(found: dict[str, Any]) -> Menus:
    try:
        return Menus.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise MenusError(f"{place}: {first['msg']}" if place else first["msg"]) from None
