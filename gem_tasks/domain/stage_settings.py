"""What a stage may have of its own: endpoint, key, model and mode. Read from `GEM_LLM_MODEL_FILTER` and its like.

A setting more is a field here; a stage more is none.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, SecretStr, ValidationError

from gem_tasks.domain.base import Value
from gem_tasks.domain.key_source import KeyCommand, read_command
from gem_tasks.errors import UserError

LLMMode = Literal["online", "batch"]
Command = Annotated[KeyCommand, BeforeValidator(read_command)]
"""A command line in one setting; a list would have to be JSON."""
_Settings = TypeVar("_Settings", bound=Value)


class StageSettings(Value):
    """Those of one stage; what is unset is as for all stages.

    Without a key of its own a stage has the common one only when its endpoint is the common one too: a key is not
    shown to strangers.
    """

    base_url: str | None = None
    api_key: SecretStr | None = None
    api_key_command: Command | None = None
    model: str | None = None
    mode: LLMMode | None = None


def variable(field: str, stage: str) -> str:
    """Such as `GEM_LLM_MODEL_FILTER`; `GEM_LLM_MODEL` without a stage."""
    return "_".join(("GEM_LLM", field.upper(), *([stage.upper()] if stage else [])))


def read_by_stage(kind: type[_Settings], environ: Mapping[str, str], stages: Iterable[str]) -> dict[str, _Settings]:
    """The settings of these stages, of those that have any. An empty name stands for all stages.

    Raises:
        UserError: a variable has a value that does not fit.
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
