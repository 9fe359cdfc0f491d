"""A harness's requests in the dialect of its endpoint: harnesses send what OpenAI's older models take.

The sandbox's relay gives every request to a `Translator`, which begins with what GEM knows about the endpoint and
learns from its complaints as `gem_tasks.llm` does: another name for the token limit, no temperature, no system role, a
stream, a way to turn thinking off, no thoughts of earlier turns. So reasoning models can be measured, and can be
τ²-bench's customer. A learned change is kept once the endpoint has answered a request with it.
"""

import json
import threading
from typing import Any, cast

from gem_tasks.confine.job import Answer, Send
from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.errors import Complaint, ErrorClass
from gem_tasks.llm.dialects.complaints import adapt, parameter_of, still_thought
from gem_tasks.llm.dialects.dialect import LIMITS, Dialect, spoken, wants_no_thoughts
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.events import collect
from gem_tasks.patterns import IgnoringCase

_TRIES = 6
"""Requests for one of the harness's, until it gets the endpoint's last complaint."""
_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details")
"""Fields of an answer that a harness sends back in the conversation."""
_ABOUT_THOUGHTS = IgnoringCase(r"reasoning_(?:content|details)|messages\b.{0,40}reasoning")


class Translator:
    """Belongs to one endpoint of one run; threads share it.

    Args:
        dialect: what is known about the endpoint.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._lock = threading.Lock()
        self._dialect = dialect.model_copy(update={"room": 0})  # the harness's limit is part of the benchmark
        self._answered = self._forgets = False

    @property
    def not_sent(self) -> tuple[str, ...]:
        """Fields that the harness wanted to send and the endpoint refused, or that the user did not want."""
        return self._dialect.dropped

    def __call__(self, body: bytes, send: Send) -> Answer:
        """Sends a request of the harness until the endpoint understands it; see `gem_tasks.confine.job.Carry`."""
        wanted = _object(body)
        if wanted is None:
            return send(body)
        request, dialect, forgets = _surrogate(wanted), self._dialect, self._forgets
        begun = (dialect, forgets)
        answer = send(_written(wanted, request, dialect, forgets))
        for _ in range(_TRIES - 1):
            status, headers, said = answer
            if status == 200:
                if wants_no_thoughts(request) and b'"reasoning_content":' in said:
                    dialect = still_thought(dialect)
                self._keep(None if begun == (dialect, forgets) else dialect, forgets)
                return (status, headers, _whole(said)) if dialect.stream else answer
            error = from_status(status, headers, said)
            if error.error_class is not ErrorClass.BAD_REQUEST:
                return answer
            if not forgets and _has_thoughts(wanted) and _ABOUT_THOUGHTS.search(error.complaint.text):
                forgets = True
            elif changed := self._changed(dialect, request, error.complaint):
                dialect = changed
            else:
                return answer
            answer = send(_written(wanted, request, dialect, forgets))
        return answer

    def _changed(self, dialect: Dialect, request: ChatRequest, complaint: Complaint) -> Dialect | None:
        """A complaint that names no field may be about the text, once the endpoint has answered."""
        if self._answered and parameter_of(complaint, request) is None:
            return None
        return adapt(dialect, request, complaint)

    def _keep(self, learned: Dialect | None, forgets: bool) -> None:
        with self._lock:
            self._answered, self._forgets = True, self._forgets or forgets
            self._dialect = learned or self._dialect  # another thread may have learned more meanwhile


def _object(body: bytes) -> Json | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(found, dict) and isinstance(cast("Json", found).get("messages"), list)
    return cast("Json", found) if fits else None


def _surrogate(wanted: Json) -> ChatRequest:
    """The part of a request that dialects are about."""
    first: Any = next(iter(wanted["messages"]), None)
    system = isinstance(first, dict) and cast("Json", first).get("role") == "system"
    limit = next((wanted[name] for name in LIMITS if isinstance(wanted.get(name), int)), None)
    return ChatRequest(
        model=str(wanted.get("model", "")),
        messages=(ChatMessage(role="system" if system else "user", content=""),),
        sampling=Sampling(
            temperature=wanted.get("temperature"),
            reasoning_effort="off" if _thoughtless(wanted) else wanted.get("reasoning_effort"),
            **({} if limit is None else {"max_tokens": limit}),
        ),
    )


def _thoughtless(wanted: Json) -> bool:
    """Whether the harness asks the server's template for an answer without thinking."""
    return wanted.get("chat_template_kwargs") == {"enable_thinking": False}


def _written(wanted: Json, request: ChatRequest, dialect: Dialect, forgets: bool) -> bytes:
    """The harness's request in the dialect; fields that no dialect is about stay as they are."""
    limited = any(wanted.get(name) is not None for name in LIMITS)
    said = spoken(request, dialect)
    names = {"temperature", "reasoning_effort", "stream", "stream_options", *LIMITS}
    names |= {"chat_template_kwargs"} if _thoughtless(wanted) else set()
    fields = {name: value for name, value in wanted.items() if name not in names}
    fields |= {name: value for name, value in said.items() if name not in ("model", "messages")}
    if not limited:
        fields = {name: value for name, value in fields.items() if name not in LIMITS}
    messages = [_forgotten(message) for message in wanted["messages"]] if forgets else wanted["messages"]
    fields["messages"] = _folded(messages) if dialect.fold_system else messages
    return json.dumps(fields).encode()


def _has_thoughts(wanted: Json) -> bool:
    return any(name in message for message in wanted["messages"] if isinstance(message, dict) for name in _THOUGHTS)


def _forgotten(message: Any) -> Any:
    """A message without the model's thoughts."""
    if not isinstance(message, dict):
        return message
    return {name: value for name, value in cast("Json", message).items() if name not in _THOUGHTS}


def _folded(messages: list[Json]) -> list[Json]:
    """The messages with the system's text before that of the first other one."""
    system = [str(message.get("content") or "") for message in messages if message.get("role") == "system"]
    others = [message for message in messages if message.get("role") != "system"]
    if not system:
        return others
    if not others or others[0].get("role") != "user":
        return [{"role": "user", "content": "\n\n".join(system)}, *others]
    return [others[0] | {"content": "\n\n".join([*system, str(others[0].get("content") or "")])}, *others[1:]]


def _whole(said: bytes) -> bytes:
    """A streamed answer as the object that the harness expects; unchanged if it is none."""
    try:
        return json.dumps({"id": "gem", "object": "chat.completion", "created": 0, **collect(said)}).encode()
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return said
