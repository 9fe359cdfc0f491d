"""How one endpoint wants to be asked for one model: plain data, and what a complaint teaches about it. No I/O.

| a complaint about                     | teaches                                                                |
|---------------------------------------|------------------------------------------------------------------------|
| streaming (`only support stream`)     | to stream, and collect                                                 |
| the system role                       | to put its text before the first user message                          |
| `max_tokens`, with a number           | that no more may be asked for                                          |
| `max_tokens`, otherwise               | its other name, `max_completion_tokens`                                |
| `response_format`                     | one step down: a schema, any JSON, text                                |
| `reasoning_effort`, with a list       | the words it takes; without one, a step down, then nothing             |
| `temperature`                         | to send none                                                           |
| `stream_options`                      | to send none                                                           |
| nothing that is named (Gemini)        | to leave out, one after the other: effort, format, temperature         |

What a person set is renamed and translated, but never left out: see `Sampling.insisted`.
"""

import json
import re
from collections.abc import Callable
from typing import Literal

from pydantic_core import to_json

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.errors import Complaint

LimitName = Literal["max_tokens", "max_completion_tokens"]
Form = Literal["json_schema", "json_object", "text"]
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_LIMITS = ("max_completion_tokens", "max_tokens")
_FIELDS = (*_LIMITS, "response_format", "reasoning_effort", "temperature", "stream_options")
_ALIASES = {"json_schema": "response_format", "json_object": "response_format", "reasoning": "reasoning_effort"}
_LESS_ROOM = re.compile(
    r"at most (\d+)|\[\s*1\s*,\s*(\d+)\s*\]|(?:not (?:be )?(?:greater|more) than|less than or equal to|<=) ?(\d+)"
    r"|maximum (?:allowed|value)\D{0,60}?(\d+)",
    re.IGNORECASE,
)
_STREAM = re.compile(
    r"only supports? stream|non-stream|stream(ing)? (is required|mode only|must be)|must (use|set|enable) stream"
    r"|[`'\"]?stream[`'\"]? must be (set to )?true",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"system (role|message|prompt|instruction)s?\b.{0,40}(not|un)|role\W{0,3}system|unknown variant .system"
    r"|does not support system|developer instruction is not enabled",
    re.IGNORECASE,
)
_LIST = re.compile(r"supported values|one of|expected|allowed|must be", re.IGNORECASE)
_ROOMIER = 4
_LEAST_ROOM = 4096
_MOST_ROOM = 1 << 17


class Dialect(Value):
    """What is particular; the defaults are what most understand."""

    limit: LimitName = "max_tokens"
    most: int | None = None
    """Tokens that may be asked for, if that is known."""
    dropped: tuple[str, ...] = ()
    """Fields that are not sent."""
    efforts: tuple[str, ...] | None = None
    """Words that `reasoning_effort` may have, if that is known."""
    form: Form = "json_schema"
    """The most that `response_format` may ask for, of an answer that is JSON."""
    stream: bool = False
    fold_system: bool = False
    """The system message goes before the first user message."""
    thinks: bool = False
    """Whether the model has been seen to think."""
    room: int = 0
    """Tokens for thought, on top of the answer's limit."""

    @property
    def summary(self) -> str:
        """What is particular, on one line."""
        found = {name: value for name, value in self if value != getattr(PLAIN, name)}
        words = (f"{name}={str(value).replace(' ', '')}" for name, value in found.items())
        return " ".join(words) or "as usual"

    def limit_of(self, request: ChatRequest) -> int:
        """Tokens to ask for: the answer's and the thoughts'."""
        tokens = request.sampling.max_tokens + self.room
        return min(tokens, self.most) if self.most else tokens

    def roomier(self, request: ChatRequest) -> "Dialect | None":
        """For when thinking ate the limit; None when there is no more to be had."""
        wanted = max(_LEAST_ROOM, _ROOMIER * self.limit_of(request) - request.sampling.max_tokens)
        wider = self.model_copy(update={"room": min(wanted, _MOST_ROOM), "thinks": True})
        return wider if wider.limit_of(request) > self.limit_of(request) else None

    def thought(self, tokens: int) -> "Dialect":
        """After an answer that took so many tokens of thought: room is twice that, in powers of two."""
        if not tokens:
            return self
        room = max(self.room, min(_MOST_ROOM, 1 << (2 * tokens - 1).bit_length()))
        return self if self.thinks and room == self.room else self.model_copy(update={"thinks": True, "room": room})


PLAIN = Dialect()


def shape_of(request: ChatRequest) -> str:
    """What an endpoint may object to in a request, whatever its text."""
    sampling = request.sampling
    role = request.messages[0].role if request.messages else ""
    temperature = "" if sampling.temperature is None else " temperature"
    shape = f"{role}{temperature}{' schema' if request.answer_schema else ''}"
    if sampling.reasoning_effort or sampling.extra_body:
        shape = " ".join([shape, f"effort:{sampling.reasoning_effort}", *sorted(sampling.extra_body)])
    return shape


class Speaker:
    """Writes requests as endpoints want them. What those of a stage have in common is written once, not for each."""

    def __init__(self) -> None:
        self._of: tuple[Sampling, Json | None, Dialect] | None = None
        self._usual, self._changed = b"", b""

    def speak(self, request: ChatRequest, dialect: Dialect) -> bytes:
        """The request's body. Messages are long: they are not written a second time, unless they have to change."""
        of = (request.sampling, request.answer_schema, dialect)
        if of != self._of:
            usual, wanted = request.fields, _fields(request, dialect)
            self._of, self._usual, self._changed = of, _ending(usual), _ending(wanted) if wanted != usual else b""
        body = _folded(request).body if dialect.fold_system else request.body
        if not self._changed:
            return body
        if not body.endswith(self._usual):  # half a character in it: see `ChatRequest.body`
            return json.dumps(spoken(request, dialect)).encode()
        return body[: -len(self._usual)] + self._changed


def speak(request: ChatRequest, dialect: Dialect) -> bytes:
    """One request as an endpoint wants it; see `Speaker`."""
    return Speaker().speak(request, dialect)


def spoken(request: ChatRequest, dialect: Dialect) -> Json:
    """`speak` as an object."""
    messages = (_folded(request) if dialect.fold_system else request).to_openai()["messages"]
    return {"model": request.model, "messages": messages, **_fields(request, dialect)}


def _ending(fields: Json) -> bytes:
    """What follows the messages in a body."""
    return (b"," if fields else b"") + to_json(fields)[1:]


def _fields(request: ChatRequest, dialect: Dialect) -> Json:
    body, given = request.fields, request.sampling.extra_body
    if "max_tokens" not in given:
        del body["max_tokens"]
        body.setdefault(dialect.limit, dialect.limit_of(request))
    if "reasoning_effort" in body and "reasoning_effort" not in given:
        body["reasoning_effort"] = effort_word(body["reasoning_effort"], dialect.efforts)
    if "response_format" in body and dialect.form != "json_schema":
        body["response_format"] = {"type": dialect.form}
    if dialect.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if dialect.form == "text":
        body.pop("response_format", None)
    for name in dialect.dropped:
        if name not in request.sampling.insisted:
            body.pop(name, None)
    return body


def effort_word(asked: str, known: tuple[str, ...] | None) -> str:
    """The endpoint's word for a wish: the same, or the nearest that it knows, less rather than more."""
    asked = "none" if asked == "off" else asked
    if known is None or asked in known or asked not in _EFFORTS:
        return asked
    place = _EFFORTS.index(asked)
    below = [word for word in reversed(_EFFORTS[:place]) if word in known]
    above = [word for word in _EFFORTS[place:] if word in known]
    return next(iter([*below, *above]), asked)


def adapt(dialect: Dialect, request: ChatRequest, complaint: Complaint) -> Dialect | None:
    """The dialect that a complaint asks for; None when it asks for nothing that could be done about it."""
    if _STREAM.search(complaint.text) and not dialect.stream:
        return dialect.model_copy(update={"stream": True})
    if not dialect.fold_system and _ROLE.search(complaint.text) and request.messages[0].role == "system":
        return dialect.model_copy(update={"fold_system": True})
    sent = spoken(request, dialect)
    name = parameter_of(complaint, request)
    if name is None:
        return _without_the_likeliest(dialect, request, sent)
    changed = _CHANGES[name](dialect, sent, complaint) if name in _CHANGES and name in sent else None
    if changed is None or spoken(request, changed) == sent:
        return None
    return changed


def parameter_of(complaint: Complaint, request: ChatRequest) -> str | None:
    """The field of a request that a complaint is about; None when it names none."""
    named = complaint.param.partition(".")[0].partition("[")[0]
    if named and named not in {"messages", "body"}:
        return _ALIASES.get(named, named)
    names = (*_FIELDS, *_ALIASES, *request.sampling.extra_body)
    places = ((re.search(rf"\b{re.escape(name)}\b", complaint.text), name) for name in names)
    first = min(((match.start(), name) for match, name in places if match), default=None)
    return _ALIASES.get(first[1], first[1]) if first else None


def is_ours(name: str, request: ChatRequest) -> bool:
    """Whether all requests have such a field: then it is not the text that is at fault."""
    return name in _FIELDS or name in request.sampling.extra_body


def _limited(dialect: Dialect, sent: Json, complaint: Complaint) -> Dialect | None:
    asked = sent.get(dialect.limit)
    if (found := _LESS_ROOM.search(complaint.text)) and (most := int(next(filter(None, found.groups())))):
        return dialect.model_copy(update={"most": most}) if isinstance(asked, int) and most < asked else None
    other: LimitName = "max_tokens" if dialect.limit == "max_completion_tokens" else "max_completion_tokens"
    return dialect.model_copy(update={"limit": other})


def _formed(dialect: Dialect, sent: Json, complaint: Complaint) -> Dialect | None:
    del complaint
    step: dict[str, Form] = {"json_schema": "json_object", "json_object": "text"}
    down = step.get(sent["response_format"]["type"])
    return dialect.model_copy(update={"form": down}) if down else None


def _effort(dialect: Dialect, sent: Json, complaint: Complaint) -> Dialect | None:
    """The list that is given with the complaint, or all words below the refused one."""
    word = sent["reasoning_effort"]
    listed = _LIST.split(complaint.text, maxsplit=1)
    known = tuple(each for each in _EFFORTS if re.search(rf"\b{each}\b", listed[1])) if len(listed) > 1 else ()
    if not known:
        lower = _EFFORTS[1 : _EFFORTS.index(word)] if word in _EFFORTS else ()
        known = ("low",) if word == "none" else lower
    if not known or word in known:
        return _without(dialect, "reasoning_effort")
    return dialect.model_copy(update={"efforts": known})


def _dropping(name: str) -> Callable[[Dialect, Json, Complaint], Dialect | None]:
    return lambda dialect, sent, complaint: _without(dialect, name)


_CHANGES: dict[str, Callable[[Dialect, Json, Complaint], Dialect | None]] = {
    "max_tokens": _limited,
    "max_completion_tokens": _limited,
    "response_format": _formed,
    "reasoning_effort": _effort,
    "temperature": _dropping("temperature"),
    "stream_options": _dropping("stream_options"),
}


def _without(dialect: Dialect, name: str) -> Dialect:
    return dialect.model_copy(update={"dropped": tuple(sorted({*dialect.dropped, name}))})


def _without_the_likeliest(dialect: Dialect, request: ChatRequest, sent: Json) -> Dialect | None:
    """For a complaint that names nothing."""
    insisted = request.sampling.insisted
    if "reasoning_effort" in sent:
        lowered = _effort(dialect, sent, Complaint())
        if lowered and spoken(request, lowered) != sent:
            return lowered
    if "response_format" in sent:
        return dialect.model_copy(update={"form": "text"})
    return _without(dialect, "temperature") if "temperature" in sent and "temperature" not in insisted else None


def _folded(request: ChatRequest) -> ChatRequest:
    """Without system messages: their text before that of the first user message."""
    system = [message.content for message in request.messages if message.role == "system"]
    others = [message for message in request.messages if message.role != "system"]
    first = [*system, *(message.content for message in others[:1])]
    lead = ChatMessage(role=others[0].role if others else "user", content="\n\n".join(first))
    return ChatRequest(
        model=request.model,
        messages=(lead, *others[1:]),
        sampling=request.sampling,
        answer_schema=request.answer_schema,
    )
