"""How one endpoint expects requests for one model: plain data, learned by `complaints`. No I/O.

A user's setting is renamed and translated, but never dropped: see `Sampling.insisted`.
"""

import json
from typing import Any, Literal, cast

from pydantic_core import to_json

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling, Toolbox
from gem_tasks.prompts.tool_form import in_tags

LimitName = Literal["max_tokens", "max_completion_tokens"]
Form = Literal["json_schema", "loose_schema", "object_schema", "json_object", "text"]
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LIMITS = ("max_completion_tokens", "max_tokens")
OFF_SWITCHES = ("reasoning_effort", "chat_template_kwargs", "thinking", "enable_thinking", "lowest")
"""Ways to turn thinking off, in the order of trial: most servers ignore unknown fields."""
_SWITCHES: dict[str, Json] = {
    "chat_template_kwargs": {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
    "thinking": {"thinking": {"type": "disabled"}},
    "enable_thinking": {"enable_thinking": False},
}
_OFF = "off"
_LOOSE = frozenset({"type", "properties", "required", "items", "enum", "anyOf", "$defs", "$ref", "description"})
_ROOMIER = 4
_LEAST_ROOM = 4096
_MOST_ROOM = 1 << 17
_CACHED_CHARS = 2048
"""No model caches shorter prompts; most need at least twice as much, and ignore marks on less."""


class Dialect(Value):
    """Deviations from the defaults, which most endpoints understand."""

    limit: LimitName = "max_tokens"
    most: int | None = None
    """Largest token limit allowed, if known."""
    dropped: tuple[str, ...] = ()
    """Fields that are not sent."""
    efforts: tuple[str, ...] | None = None
    """Words that `reasoning_effort` may have, if known."""
    form: Form = "json_schema"
    """The strictest `response_format` for an answer in JSON. A loose schema names types only; `object_schema` puts it
    beside the type `json_object` (llama-cpp-python, Together)."""
    stream: bool = False
    fold_system: bool = False
    """The system message goes before the first user message."""
    useless: tuple[str, ...] = ()
    """Those of `OFF_SWITCHES` that the endpoint refused, or after which the model still thought."""
    thinks: bool = False
    """Whether the model was seen to think."""
    room: int = 0
    """Tokens for thought, on top of the answer's limit."""
    echo: Literal["given", "always", "never"] = "given"
    """Which messages of the assistant have thoughts in a conversation with tools: those to which the endpoint gave
    some, all (`reasoning_content` is empty otherwise), or none."""
    thinking_budget: bool = False
    """Anthropic's API: effort is a number of tokens."""
    cache_control: bool = False
    """Whether to mark the prompts' constant part for the endpoint's cache, which keeps only marked text."""

    @property
    def plain(self) -> bool:
        """Whether nothing needs translation. Not cached, because a changed copy would keep the value."""
        return self is PLAIN or self == PLAIN

    @property
    def off_switch(self) -> str:
        """The switch that turns thinking off; empty if none works."""
        return next((name for name in OFF_SWITCHES if name not in self.useless), "")

    @property
    def summary(self) -> str:
        """The deviations, on one line."""
        found = {name: value for name, value in self if value != getattr(PLAIN, name)}
        words = (f"{name}={str(value).replace(' ', '')}" for name, value in found.items())
        return " ".join(words) or "as usual"

    def limit_of(self, request: ChatRequest) -> int:
        """Tokens to ask for: those of the answer plus those for thought."""
        tokens = request.sampling.max_tokens + self.room
        return min(tokens, self.most) if self.most else tokens

    def roomier(self, request: ChatRequest) -> "Dialect | None":
        """For an answer whose limit thinking used up; None if the limit cannot grow."""
        wanted = max(_LEAST_ROOM, _ROOMIER * self.limit_of(request) - request.sampling.max_tokens)
        wider = self.model_copy(update={"room": min(wanted, _MOST_ROOM), "thinks": True})
        return wider if wider.limit_of(request) > self.limit_of(request) else None

    def thought(self, tokens: int) -> "Dialect":
        """For an answer that took this many tokens of thought: room becomes twice that, in powers of two."""
        if not tokens:
            return self
        room = max(self.room, min(_MOST_ROOM, 1 << (2 * tokens - 1).bit_length()))
        return self if self.thinks and room == self.room else self.model_copy(update={"thinks": True, "room": room})


PLAIN = Dialect()


def wants_no_thoughts(request: ChatRequest) -> bool:
    """Whether the user asked for an answer without thinking."""
    return request.sampling.reasoning_effort == _OFF


def shape_of(request: ChatRequest, dialect: Dialect = PLAIN) -> str:
    """The parts of a request that an endpoint may object to, apart from its text; its limit by size only."""
    sampling = request.sampling
    role = request.messages[0].role if request.messages else ""
    temperature = "" if sampling.temperature is None else " temperature"
    most = 1 << (sampling.max_tokens - 1).bit_length()  # caps are powers of two: below one was tried before
    form = " schema" if request.answer_schema else " tools" if request.toolbox else ""
    shape = f"{role}{temperature}{form} to {most}"
    if sampling.reasoning_effort or sampling.extra_body:
        shape = " ".join([shape, f"effort:{sampling.reasoning_effort}", *sorted(sampling.extra_body)])
    if wants_no_thoughts(request):
        shape += f" {dialect.off_switch}"
    return shape


class Speaker:
    """Writes requests in the endpoint's format. The common part of a stage's requests is written once."""

    def __init__(self) -> None:
        self._of: tuple[Sampling, Json | None, Toolbox | None, Dialect] | None = None
        self._usual, self._changed = b"", b""

    def speak(self, request: ChatRequest, dialect: Dialect) -> bytes:
        """The request's body. Messages are long: they are not written again unless they have to change."""
        if _marks(dialect):
            return json.dumps(spoken(request, dialect)).encode()
        request = _suited(request, dialect)
        of = (request.sampling, request.answer_schema, request.toolbox, dialect)
        if of != self._of:
            usual, wanted = request.fields, _fields(request, dialect)
            self._of, self._usual, self._changed = of, _ending(usual), _ending(wanted) if wanted != usual else b""
        body = request.body
        if not self._changed:
            return body
        if not body.endswith(self._usual):  # half a character in it: see `ChatRequest.body`
            return json.dumps(spoken(request, dialect)).encode()
        return body[: -len(self._usual)] + self._changed


def speak(request: ChatRequest, dialect: Dialect) -> bytes:
    """One request in the endpoint's format; see `Speaker`."""
    return Speaker().speak(request, dialect)


def spoken(request: ChatRequest, dialect: Dialect) -> Json:
    """`speak` as an object."""
    request = _suited(request, dialect)
    messages: list[Json] = request.to_openai()["messages"]
    if _marks(dialect):
        messages = [_marked(message) for message in messages]
        if request.conversation and sum(len(message.content) for message in request.messages) >= _CACHED_CHARS:
            messages[-1] = _kept(messages[-1])
    return {"model": request.model, "messages": messages, **_fields(request, dialect)}


def _ending(fields: Json) -> bytes:
    """The part of a body after the messages."""
    return (b"," if fields else b"") + to_json(fields)[1:]


def _fields(request: ChatRequest, dialect: Dialect) -> Json:
    body, given = request.fields, request.sampling.extra_body
    if "max_tokens" not in given:
        del body["max_tokens"]
        body.setdefault(dialect.limit, dialect.limit_of(request))
    if "reasoning_effort" in body and "reasoning_effort" not in given:
        asked = body.pop("reasoning_effort")
        word = {"reasoning_effort": effort_word(asked, dialect.efforts)}
        effort: Json = _turned_off(dialect) if asked == _OFF else word
        body = effort | body
    if "response_format" in body:
        body |= _formed(body.pop("response_format"), dialect.form)
    if dialect.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    for name in dialect.dropped:
        if name not in request.sampling.insisted:
            body.pop(name, None)
    return body


def _turned_off(dialect: Dialect) -> Json:
    """Fields that turn thinking off or down. The endpoint may refuse them: the wish is about the answer."""
    switch, known = dialect.off_switch, dialect.efforts
    found = dict(_SWITCHES.get(switch, {}))
    if "reasoning_effort" in dialect.dropped or not switch:
        return found
    if switch == "lowest":
        found["reasoning_effort"] = effort_word(_OFF, tuple(word for word in known or ("low",) if word != "none"))
    elif switch == "reasoning_effort" or (switch == "chat_template_kwargs" and known is None):
        found["reasoning_effort"] = effort_word(_OFF, known)
    return found


def _formed(wanted: Json, form: Form) -> Json:
    """The field that restricts a model to a schema, as strictly as the endpoint allows."""
    if form == "text":
        return {}
    if form == "loose_schema":
        named = {"name": wanted["json_schema"]["name"], "schema": _loosened(wanted["json_schema"]["schema"])}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    if form == "object_schema":
        return {"response_format": {"type": "json_object", "schema": wanted["json_schema"]["schema"]}}
    return {"response_format": wanted if form == "json_schema" else {"type": form}}


def _loosened(schema: Any, named: bool = False) -> Any:
    """The schema with types and names only.

    Args:
        schema: a part of it.
        named: whether its keys are property names, not JSON Schema keywords.
    """
    if isinstance(schema, list):
        return [_loosened(part) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    parts = cast("Json", schema).items()
    kept = ((name, part) for name, part in parts if named or name in _LOOSE)
    return {name: _loosened(part, not named and name in {"properties", "$defs"}) for name, part in kept}


def effort_word(asked: str, known: tuple[str, ...] | None) -> str:
    """The endpoint's word for an effort: the same, or the nearest known one, less rather than more."""
    asked = "none" if asked == _OFF else asked
    if known is None or asked in known or asked not in EFFORTS:
        return asked
    place = EFFORTS.index(asked)
    below = [word for word in reversed(EFFORTS[:place]) if word in known]
    above = [word for word in EFFORTS[place:] if word in known]
    return next(iter([*below, *above]), asked)


def _marks(dialect: Dialect) -> bool:
    return dialect.cache_control and "cache_control" not in dialect.dropped


def _marked(message: Json) -> Json:
    """An instruction marked for the cache, if it is long enough to be cached."""
    if message["role"] != "system" or len(message["content"]) < _CACHED_CHARS:
        return message
    part = {"type": "text", "text": message["content"], "cache_control": {"type": "ephemeral"}}
    return message | {"content": [part]}


def _kept(last: Json) -> Json:
    """The last message of a conversation, marked so that the next request finds everything up to it in the cache."""
    if not isinstance(last["content"], str) or not last["content"]:
        return last
    part = {"type": "text", "text": last["content"], "cache_control": {"type": "ephemeral"}}
    return last | {"content": [part]}


def _suited(request: ChatRequest, dialect: Dialect) -> ChatRequest:
    """The request with messages that the endpoint accepts; the same if it accepts all."""
    if "tools" in dialect.dropped:
        request = in_tags(request)
    if request.toolbox and dialect.echo != "given":
        request = _echoing(request, dialect.echo)
    return _folded(request) if dialect.fold_system else request


def _echoing(request: ChatRequest, echo: Literal["always", "never"]) -> ChatRequest:
    """The request with thoughts in all messages of the assistant, or in none."""
    messages = [
        message.model_copy(update={"endpoint_fields": _echo(message, echo)}) if message.role == "assistant" else message
        for message in request.messages
    ]
    return _with(request, tuple(messages))


def _echo(message: ChatMessage, echo: str) -> Json:
    return {} if echo == "never" else {"reasoning_content": ""} | message.endpoint_fields


def _folded(request: ChatRequest) -> ChatRequest:
    """The request without system messages: their text goes before that of the first user message."""
    system = [message.content for message in request.messages if message.role == "system"]
    others = [message for message in request.messages if message.role != "system"]
    first = [*system, *(message.content for message in others[:1])]
    lead = ChatMessage(role=others[0].role if others else "user", content="\n\n".join(first))
    return _with(request, (lead, *others[1:]))


def _with(request: ChatRequest, messages: tuple[ChatMessage, ...]) -> ChatRequest:
    """The request with other messages. Not a copy, which would keep the cached body."""
    return ChatRequest(
        model=request.model,
        messages=messages,
        sampling=request.sampling,
        answer_schema=request.answer_schema,
        toolbox=request.toolbox,
        conversation=request.conversation,
    )
