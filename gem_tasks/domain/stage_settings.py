"""Settings of a single stage: endpoint, key, model and mode, from `GEM_LLM_MODEL_FILTER` and similar variables.

A new setting is a field here; a new stage needs no change here.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, SecretStr, ValidationError

from gem_tasks.domain.base import Value
from gem_tasks.domain.key_source import KeyCommand, read_command
from gem_tasks.errors import UserError

LLMMode = Literal["online", "batch"]
Command = Annotated[KeyCommand, BeforeValidator(read_command)]
"""A command line as one text, because a list would have to be JSON."""
_Settings = TypeVar("_Settings", bound=Value)


class StageSettings(Value):
    """The settings of one stage; unset ones are those of all stages.

    A stage without a separate key uses the common one only if its endpoint is the common one, too: GEM never sends a
    key to another endpoint.
    """

    base_url: str | None = None
    api_key: SecretStr | None = None
    api_key_command: Command | None = None
    model: str | None = None
    mode: LLMMode | None = None


def variable(field: str, stage: str) -> str:
    """The name of a variable, such as `GEM_LLM_MODEL_FILTER`; `GEM_LLM_MODEL` without a stage."""
    return "_".join(("GEM_LLM", field.upper(), *([stage.upper()] if stage else [])))


def read_by_stage(kind: type[_Settings], environ: Mapping[str, str], stages: Iterable[str]) -> dict[str, _Settings]:
    """The settings of those of these stages that have any. An empty name stands for all stages.

    Raises:
        UserError: a variable has an invalid value.
    """
    found: dict[str, _Settings] = {}
    for stage in stages:
        names = {field: variable(field, stage) for field in kind.model_fields}
        given = {field: environ[name] for field, name in names.items() if environ.get(name)}
        if given:
            try:
                found[stage] = kind.model_validate(given)
            except ValidationError as error:
                first = error.errors(include_input=False)[0]
                raise UserError(f"{names[str(first['loc'][0])]}: {first['msg']}", "Correct or unset it.") from None
    return found
