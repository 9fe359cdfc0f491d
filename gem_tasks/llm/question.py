"""One short real question to a model, and its answer: a list of models does not tell whether an endpoint works.

The question has the shape of a stage's requests (`shape_of`): a system message, the same parameters, and a schema if
the stage has one. So its answer teaches the stage's dialect, and the stage's first text has nothing left to learn.
"""

import time

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion, Sampling, Usage, UsageFault
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.prompts import section

LIMIT_S = 120.0
"""A thinking model may take a minute; a run still asks a slower one, but it does not count as ready."""
ATTEMPTS = 3
_TOKENS = 1024
"""Largest answer, which usually has some ten tokens. A lower limit used up by thinking costs a second question."""
_ASKED = "Does the text say how to do something in more than one step?"
_TAGGED = f"{_ASKED} Answer with <multi_step>True</multi_step> or <multi_step>False</multi_step> and nothing else."
_JSON = f'{_ASKED} Answer in JSON with {{"R1": true}} or {{"R1": false}} and nothing else.'
_TEXT = section("Text", "Boil the water. Pour it over the leaves. Wait three minutes, then serve.")
_SCHEMA: Json = {
    "type": "object",
    "properties": {"R1": {"type": "boolean"}},
    "required": ["R1"],
    "additionalProperties": False,
}
_SHOWN = 60
_HARMLESS = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.REFUSED})
"""The endpoint accepts key and model, but cannot or will not answer this now."""


class Reply(Value):
    """Result of a question."""

    said: str = ""
    """The beginning of the answer, on one line."""
    note: str = ""
    """What is odd about the answer, or why there may be one only later."""
    calls: int = 0
    usage: Usage = Usage()
    usage_fault: UsageFault = ""
    seconds: float = 0.0


def question(model: str, sampling: Sampling, *, schema: bool = False) -> ChatRequest:
    """The question to a model.

    Args:
        model: its name.
        sampling: parameters of the stage's requests.
        schema: whether the stage asks for JSON under a schema.
    """
    system = ChatMessage(role="system", content=_JSON if schema else _TAGGED)
    limit = min(sampling.max_tokens, _TOKENS)
    return ChatRequest(
        model=model,
        messages=(system, ChatMessage(role="user", content=_TEXT)),
        sampling=sampling.model_copy(update={"max_tokens": limit}),
        answer_schema=_SCHEMA if schema else None,
    )


async def ask(client: OpenAIClient, request: ChatRequest) -> Reply:
    """Sends the question.

    Raises:
        EndpointError: there was no answer, and a stage would not get one either.
    """
    started = time.monotonic()
    try:
        completion = await client.complete(request)
    except EndpointError as error:
        if error.error_class not in _HARMLESS:
            raise
        return Reply(note=str(error), calls=error.calls, seconds=time.monotonic() - started)
    return Reply(
        said=_beginning(completion.text),
        note=_odd(completion),
        calls=completion.calls,
        usage=completion.usage,
        usage_fault=completion.usage_fault,
        seconds=time.monotonic() - started,
    )


async def listed(client: OpenAIClient) -> list[str]:
    """Models that the endpoint lists, without the prefix that some add to names; empty if it has no list."""
    try:
        return list(dict.fromkeys(name.removeprefix("models/") for name in await client.models()))
    except (EndpointError, UserError):
        return []


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _odd(completion: Completion) -> str:
    if completion.text.strip():
        return ""
    if completion.finish_reason == "length":
        return "thinking used up the token limit twice: set GEM_LLM_REASONING_EFFORT to low or off"
    return f"the answer is empty (it ended with {completion.finish_reason or 'no reason'!r})"
