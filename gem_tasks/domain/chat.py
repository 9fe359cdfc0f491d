"""One question to a model and its answer, independent of transport."""

import json
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, cast

from pydantic import Field, field_validator
from pydantic_core import to_json

from gem_tasks.domain.base import Json, Value
from gem_tasks.errors import ErrorClass
from gem_tasks.redaction import clean

FaultCounts = dict[ErrorClass, int]
"""Requests without a usable answer, by class."""
UsageFault = Literal["", "missing", "impossible"]
"""Why GEM counted the tokens itself: the endpoint reported none, or impossible numbers."""


class FunctionCall(Value):
    """A call of a function as a model wrote it."""

    id: str
    name: str
    arguments: str
    """As written: usually a JSON object."""
    extra_content: Json = Field(default_factory=dict, exclude_if=lambda found: not found)
    """What the endpoint wants back with the call (Gemini's `thought_signature`). Absent from JSON if empty."""

    @field_validator("id", "name", "arguments")
    @classmethod
    def _without_secrets(cls, text: str) -> str:
        """Removes secrets; see `Completion`."""
        return clean(text)

    @field_validator("extra_content")
    @classmethod
    def _fields_without_secrets(cls, fields: Json) -> Json:
        return _clean_json(fields)

    def to_openai(self) -> Json:
        """As in a message of the Chat Completions API."""
        call: Json = {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}
        return call | {"extra_content": self.extra_content} if self.extra_content else call


class ChatMessage(Value):
    """A message of a prompt."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[FunctionCall, ...] = Field(default=(), exclude_if=lambda found: not found)
    """Of the assistant, in requests with a toolbox. Absent from JSON if empty, as is the next field, so that what is
    stored for other requests stays the same bytes."""
    tool_call_id: str | None = Field(default=None, exclude_if=lambda found: found is None)
    """The call whose result a message of role `tool` is."""
    endpoint_fields: Json = Field(default_factory=dict, exclude_if=lambda found: not found)
    """See `Completion.endpoint_fields`."""

    def to_openai(self) -> Json:
        """As in a request of the Chat Completions API."""
        message: Json = {"role": self.role, "content": self.content, **self.endpoint_fields}
        if self.tool_calls:
            message["tool_calls"] = [call.to_openai() for call in self.tool_calls]
        if self.tool_call_id is not None:
            message["tool_call_id"] = self.tool_call_id
        return message


class Toolbox(Value):
    """Functions that the model may call."""

    tools: tuple[Json, ...]
    """As in the field `tools` of the Chat Completions API."""
    form: str
    """For endpoints without this field: the tools and the form of calls, for the end of the system message."""


class Sampling(Value):
    """Sampling parameters; part of the recipe, because they change the output. None is not sent."""

    temperature: float | None = None
    max_tokens: int = 8192
    """Upper bound of the answer in tokens. Room for thought is added, see `llm.dialect`."""
    least: int = 256
    """Minimum tokens of a useful answer if prompt and answer do not fit the model's window. Not part of a
    recipe, because the requested limit stays the same."""
    reasoning_effort: str | None = None
    """`off`, `low`, …; the dialect translates it to the endpoint's word."""
    extra_body: Json = Field(default_factory=dict)
    """Extra fields of the request, sent unchanged."""
    insisted: frozenset[str] = frozenset()
    """Fields that the user set: GEM does not omit them if an endpoint refuses one."""

    @property
    def params(self) -> Json:
        """The part that belongs in a recipe. Unset fields leave recipe ids as they were before the field existed."""
        asked = {"reasoning_effort": self.reasoning_effort, "extra_body": self.extra_body}
        common: Json = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return common | {name: value for name, value in asked.items() if value}


class ChatRequest(Value):
    """A call that a stage requests. The pipeline adds the model's name from the recipe."""

    model: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()
    answer_schema: Json | None = None
    """JSON schema of the answer, for endpoints that can enforce one (`response_format`); strict in OpenAI's sense
    unless it allows properties beyond those it names."""
    toolbox: Toolbox | None = None
    conversation: str = ""
    """Id of the conversation whose next message is asked for: each request begins with the one before, which is worth
    caching, and equal requests of two conversations have separate answers. Not sent."""

    def without_schema(self) -> "ChatRequest":
        """The request for an endpoint that cannot enforce a schema. Not a copy, which would keep the cached body."""
        return ChatRequest(model=self.model, messages=self.messages, sampling=self.sampling)

    @cached_property
    def body(self) -> bytes:
        """The body of `POST /chat/completions`. Cached, because a call hashes it and sends it, perhaps repeatedly."""
        body = self.to_openai()
        try:
            return to_json(body)
        except (
            ValueError
        ):  # half a character, possible in a model's answer: sent as an escape, because UTF-8 has no bytes for it
            return json.dumps(body).encode()

    @property
    def key(self) -> str:
        """Identifies the request, independent of sender and time."""
        return sha256(self.body + self.conversation.encode()).hexdigest()[:32]

    def to_openai(self) -> Json:
        """`body` as an object."""
        # Not model_dump: this runs once per request on the hot path.
        messages = [message.to_openai() for message in self.messages]
        return {"model": self.model, "messages": messages, **self.fields}

    @property
    def fields(self) -> Json:
        """The fields that say how to answer."""
        sampling, fields = self.sampling, Json()
        if sampling.temperature is not None:
            fields["temperature"] = sampling.temperature
        fields["max_tokens"] = sampling.max_tokens
        if sampling.reasoning_effort is not None:
            fields["reasoning_effort"] = sampling.reasoning_effort
        if sampling.extra_body:
            fields |= sampling.extra_body
        if self.toolbox:
            fields["tools"] = list(self.toolbox.tools)
        if self.answer_schema:
            strict = not self.answer_schema.get("additionalProperties")
            wanted = {"name": "answer", "strict": strict, "schema": self.answer_schema}
            fields["response_format"] = {"type": "json_schema", "json_schema": wanted}
        return fields


class Usage(Value):
    """Tokens as counted by the endpoint."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` that was in the endpoint's cache."""
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
    """`length` or `content_filter`, regardless of the endpoint's wording; otherwise the endpoint's word."""
    tool_calls: tuple[FunctionCall, ...] = Field(default=(), exclude_if=lambda found: not found)
    """Calls in the endpoint's form; a model may write them as text instead."""
    thoughts: str = ""
    """The model's reasoning before the answer, if the endpoint shows it."""
    endpoint_fields: Json = Field(default_factory=dict, exclude_if=lambda found: not found)
    """Fields of the message that the endpoint wants back, unchanged, in later requests of a conversation with tools:
    thoughts and their signatures. Empty without a toolbox."""
    usage: Usage = Usage()
    usage_fault: UsageFault = ""
    latency_s: float = 0.0
    """Seconds from sending the successful request to the last byte of its answer."""
    faults: FaultCounts = Field(default_factory=dict)
    """Failed requests before the successful one."""
    usd: float | None = None
    """Its price; None until it is known."""
    model: str = ""
    """The model's name in the answer, which may differ from the requested one."""

    @field_validator("text", "finish_reason", "thoughts", "model")
    @classmethod
    def _without_secrets(cls, text: str) -> str:
        """Removes secrets: an endpoint can write GEM's key into an answer, which GEM stores, sends again and shows."""
        return clean(text)

    @field_validator("endpoint_fields")
    @classmethod
    def _fields_without_secrets(cls, fields: Json) -> Json:
        return _clean_json(fields)

    @property
    def written(self) -> str:
        """All that the model wrote: words, thoughts and calls."""
        return self.text + self.thoughts + "".join(call.name + call.arguments for call in self.tool_calls)

    @property
    def calls(self) -> int:
        """HTTP requests made for it."""
        return 1 + sum(self.faults.values())


def _clean_json(found: Any) -> Any:
    """The value with all of its texts cleaned; names of fields too."""
    if isinstance(found, dict):
        return {clean(name): _clean_json(value) for name, value in cast("Json", found).items()}
    if isinstance(found, list):
        return [_clean_json(each) for each in cast("list[Any]", found)]
    return clean(found) if isinstance(found, str) else found


def merged(one: FaultCounts, other: FaultCounts) -> FaultCounts:
    """The sum, class by class."""
    return {kind: one.get(kind, 0) + other.get(kind, 0) for kind in one | other}
