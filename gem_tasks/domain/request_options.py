"""Options that the user sets for requests, for all stages or for one; the stage decides unset ones.

| setting             | in the recipe | why                                                                      |
|---------------------|---------------|--------------------------------------------------------------------------|
| `temperature`       | yes           | it changes the answers                                                   |
| `max_tokens`        | yes           | it decides where answers end                                             |
| `reasoning_effort`  | yes           | it changes the answers                                                   |
| `extra_body`        | yes           | it may change the answers                                                |
| `form`              | yes           | another wording of the request, and another schema                       |
| `extra_headers`     | no            | transport: routing and secrets, which must not be stored                 |
| `stream`            | no            | transport: the same answer in pieces                                     |
| `api`               | no            | transport: the same question in other words                              |
| `context_window`    | no            | a fact about the model; the request stays the same where it fits         |
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import Sampling
from gem_tasks.domain.stage_settings import read_by_stage

ApiName = Literal["openai", "anthropic"]
_RESERVED = frozenset({"model", "messages", "stream", "response_format"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"content-length", "transfer-encoding", "host", "connection", "content-type", "accept-encoding"})


def _object(value: Any) -> Any:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError('it must be a JSON object, such as {"name": "value"}')  # never the value: it may be a secret
    return found  # pyright: ignore[reportUnknownVariableType]


def _no_reserved(body: Json) -> Json:
    if taken := sorted(_RESERVED & body.keys()):
        raise ValueError(f"{', '.join(taken)} is set by GEM")
    return body


def _sendable(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in headers.items():
        text = value.get_secret_value()
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS or not (text.isascii() and text.isprintable()):
            raise ValueError("a header is one that GEM sets, or has characters that HTTP headers do not allow")
    return headers


class RequestOptions(Value):
    """Options of all stages, or of one."""

    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] | Literal["off"] | None = None
    """`off` sends none, even if a stage would recommend one."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Limit of the answer; room for thought is added."""
    reasoning_effort: str | None = Field(default=None, pattern=r"^[a-z]{2,20}$")
    """`off`, `low`, …; unknown words are translated to the nearest that the endpoint knows."""
    extra_body: Annotated[Json, BeforeValidator(_object), AfterValidator(_no_reserved)] | None = None
    """Fields that are added to the body of every request."""
    form: Literal["tags", "json"] | None = None
    """Format of the answers of stages that support both, see `stages.json_form`."""
    extra_headers: Annotated[dict[str, SecretStr], BeforeValidator(_object), AfterValidator(_sendable)] | None = None
    """Headers that are added to every request; their values count as secrets."""
    stream: bool | None = None
    """Stream the answer, for endpoints that only stream or close silent connections."""
    api: ApiName | None = None
    """The API of the endpoint; by default, derived from its address."""
    context_window: int | None = Field(default=None, ge=256)
    """Tokens of prompt and answer together that the model accepts; detected if not set."""

    @property
    def headers(self) -> dict[str, str]:
        """Extra headers in clear text: for the transport only."""
        return {name: value.get_secret_value() for name, value in (self.extra_headers or {}).items()}

    def over(self, common: "RequestOptions") -> "RequestOptions":
        """These options, with the common ones for unset fields."""
        return common.model_copy(update={name: value for name, value in self if value is not None})

    def applied_to(self, recommended: Sampling) -> Sampling:
        """A stage's values, replaced by these; a user's setting is never dropped silently."""
        names = ("temperature", "max_tokens", "reasoning_effort", "extra_body")
        asked: Json = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if not asked:
            return recommended
        insisted = frozenset(asked) | frozenset(self.extra_body or ())
        if self.temperature == "off":
            asked["temperature"] = None
        return recommended.model_copy(update=asked | {"insisted": insisted})


def read_options(environ: Mapping[str, str], stages: Iterable[str]) -> dict[str, RequestOptions]:
    """Options by stage, with the common ones under an empty name, from `GEM_LLM_X` and `GEM_LLM_X_{STAGE}`.

    Raises:
        UserError: a variable has an invalid value.
    """
    return read_by_stage(RequestOptions, environ, ("", *stages))
