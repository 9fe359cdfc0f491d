"""One question to a model and its answer, independent of transport."""

import json
from functools import cached_property
from hashlib import sha256
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import to_json

from gem_tasks.domain.base import Json, Value
from gem_tasks.errors import ErrorClass
from gem_tasks.redaction import clean

FaultCounts = dict[ErrorClass, int]
"""Requests that brought nothing usable, by class."""
UsageFault = Literal["", "missing", "impossible"]
"""Why tokens are our own count: the endpoint reported none, or what cannot be true."""


class ChatMessage(Value):
    """A message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(Value):
    """Sampling parameters; part of the recipe, because they change the output. What is None is not sent."""

    temperature: float | None = None
    max_tokens: int = 8192
    """Upper bound of the answer in tokens. Room for thought comes on top, see `llm.dialect`."""
    least: int = 256
    """Where prompt and answer do not fit the model's window: tokens without which asking is in vain. In no recipe, for
    what is asked for stays the same."""
    reasoning_effort: str | None = None
    """`off`, `low`, …; the endpoint's own word for it is a matter of its dialect."""
    extra_body: Json = Field(default_factory=dict)
    """Further fields of the request, as they are."""
    insisted: frozenset[str] = frozenset()
    """What a person set: an endpoint that refuses it is not asked without it."""

    @property
    def params(self) -> Json:
        """What of it belongs in a recipe. What is unset leaves ids of recipes as they were before it could be set."""
        asked = {"reasoning_effort": self.reasoning_effort, "extra_body": self.extra_body}
        common: Json = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return common | {name: value for name, value in asked.items() if value}


class ChatRequest(Value):
    """A call that a stage wants made. The model's name is added by the pipeline from the recipe."""

    model: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()
    answer_schema: Json | None = None
    """JSON schema of the answer, for endpoints that can hold a model to one (`response_format`); strict in OpenAI's
    sense unless it says that it allows more than it names."""

    def without_schema(self) -> "ChatRequest":
        """The same for an endpoint that cannot hold a model to a schema. No copy: that would keep the cached body."""
        return ChatRequest(model=self.model, messages=self.messages, sampling=self.sampling)

    @cached_property
    def body(self) -> bytes:
        """The body of `POST /chat/completions`. A cached one, for a call hashes it and sends it, perhaps repeatedly."""
        body = self.to_openai()
        try:
            return to_json(body)
        except (
            ValueError
        ):  # half a character, which a model's answer may hold: an escape, for UTF-8 has no bytes for it
            return json.dumps(body).encode()

    @property
    def key(self) -> str:
        """What identifies the request, whoever asks it and when."""
        return sha256(self.body).hexdigest()[:32]

    def to_openai(self) -> Json:
        """`body` as an object."""
        # Not model_dump: this runs once per request on the hot path.
        messages = [{"role": message.role, "content": message.content} for message in self.messages]
        return {"model": self.model, "messages": messages, **self.fields}

    @property
    def fields(self) -> Json:
        """The part of it that says how to answer."""
        sampling, fields = self.sampling, Json()
        if sampling.temperature is not None:
            fields["temperature"] = sampling.temperature
        fields["max_tokens"] = sampling.max_tokens
        if sampling.reasoning_effort is not None:
            fields["reasoning_effort"] = sampling.reasoning_effort
        if sampling.extra_body:
            fields |= sampling.extra_body
        if self.answer_schema:
            strict = not self.answer_schema.get("additionalProperties")
            wanted = {"name": "answer", "strict": strict, "schema": self.answer_schema}
            fields["response_format"] = {"type": "json_schema", "json_schema": wanted}
        return fields


class Usage(Value):
    """Tokens as the endpoint counted them."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` that the endpoint had cached."""
    cache_write_tokens: int = 0
    """Part of `prompt_tokens` that the endpoint put into its cache, which some charge for. Only its price is stored."""
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    """Part of `completion_tokens` that the model spent on thinking."""

    def __add__(self, other: "Usage") -> "Usage":
        """Field by field."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )


class Completion(Value):
    """An answer that arrived."""

    text: str
    finish_reason: str
    """`length` and `content_filter`, whatever the endpoint calls them; otherwise as it says."""
    thoughts: str = ""
    """What the model thought before it answered, as far as the endpoint shows it."""
    usage: Usage = Usage()
    usage_fault: UsageFault = ""
    latency_s: float = 0.0
    """From sending the request that succeeded to the last byte of its answer."""
    faults: FaultCounts = Field(default_factory=dict)
    """Requests made for it before the one that succeeded."""
    usd: float | None = None
    """Its price; None while it, or the model's price, is not known."""
    model: str = ""
    """As the endpoint names itself, which may differ from what was asked for."""

    @field_validator("text", "finish_reason", "thoughts", "model")
    @classmethod
    def _without_secrets(cls, text: str) -> str:
        """An endpoint that sees our key can write it into an answer, which is stored, asked with and shown."""
        return clean(text)

    @property
    def calls(self) -> int:
        """HTTP requests made for it."""
        return 1 + sum(self.faults.values())


def merged(one: FaultCounts, other: FaultCounts) -> FaultCounts:
    """The sum, class by class."""
    return {kind: one.get(kind, 0) + other.get(kind, 0) for kind in one | other}
