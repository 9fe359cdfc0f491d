"""Anthropic's Messages API (`POST /v1/messages`), translated from and to chat completions. No I/O.

| chat completions                  | Messages                                                                       |
|-----------------------------------|--------------------------------------------------------------------------------|
| system messages                   | `system`, at the top                                                           |
| `max_completion_tokens`           | `max_tokens`                                                                   |
| `reasoning_effort`: a word        | `thinking` adaptive with `output_config.effort`; older models: a token budget  |
| `reasoning_effort`: `none`        | `thinking` disabled                                                            |
| `response_format`: a JSON schema  | `output_config.format`; any JSON has no counterpart                            |
| `reasoning_content`               | blocks of type `thinking`                                                      |
| `thinking_blocks` (as in LiteLLM) | the same with their signatures, and `redacted_thinking`; sent back before calls |
| `tools`, `tool_calls`             | `tools`, blocks of type `tool_use`                                             |
| messages of role `tool`           | blocks of type `tool_result` in one message of the user                        |
| `prompt_tokens`                   | `input_tokens` + written to the cache + read from it                           |

The rest of a dialect applies to both. platform.claude.com/docs/en/api/messages
"""

import json
import re
from typing import Any, cast

from pydantic_core import to_json

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.errors import Complaint
from gem_tasks.llm.bounds import MAX_ANSWER_CHARS, bounded_json
from gem_tasks.llm.dialects import complaints
from gem_tasks.llm.dialects import dialect as usual
from gem_tasks.llm.dialects.dialect import Dialect
from gem_tasks.llm.responses.completions import parsed, read_completion
from gem_tasks.llm.responses.events import EVENTS, data_of
from gem_tasks.llm.usage.counts import fields_of, total
from gem_tasks.patterns import IgnoringCase

PATH = "/messages"
VERSION = "2023-06-01"
"""Value of `anthropic-version` that every model and gateway supports; `GEM_LLM_EXTRA_HEADERS` may set another."""
_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_PIECES = ("text", "thinking", "signature", "partial_json")
"""Fields of blocks that come in pieces."""
_WHOLE = ("type", "id", "name", "data")
"""Fields of blocks that come at once."""
_SIGNED = {"thinking": ("thinking", "signature"), "redacted_thinking": ("data",)}
"""Blocks that go back with a message whose calls get results, and their fields."""
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 65536}
_LEAST_BUDGET = 1024
_NAMES = (
    ("cache_control", re.compile(r"cache_control")),
    ("response_format", re.compile(r"output_config\.format|output_format|structured output|json_schema|\bschema\b")),
    ("reasoning_effort", re.compile(r"\beffort\b|thinking")),
    ("output_config", re.compile(r"output_config(?!\.)")),
    ("tools", re.compile(r"\btools?\b|tool_use|input_schema")),
    ("temperature", re.compile(r"\b(temperature|top_p|top_k)\b")),
    ("max_tokens", re.compile(r"\bmax_tokens\b")),
)
"""Fields of a chat completion, and their names in Anthropic's complaints; the earliest in the text counts."""
_MANNER = IgnoringCase(r"adaptive|thinking\.type|extended thinking|does not support thinking")
STATUS = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "timeout_error": 504,
    "overloaded_error": 529,
}  # fmt: skip
"""HTTP statuses of errors that have none: in a stream, or in a batch."""


def speak(request: ChatRequest, dialect: Dialect) -> bytes:
    """The request's body in the endpoint's format; see `dialect.speak`."""
    body = translated(request, dialect)
    try:
        return to_json(body)
    except ValueError:  # half a character: sent as an escape, because UTF-8 has no bytes for it
        return json.dumps(body).encode()


def translated(request: ChatRequest, dialect: Dialect) -> Json:
    """`speak` as an object."""
    given = usual.spoken(request, dialect)
    messages: list[Json] = given.pop("messages")
    limits = [given.pop(name) for name in usual.LIMITS if name in given]
    body: Json = {"model": given.pop("model"), "max_tokens": limits[0]}
    if system := [part for message in messages if message["role"] == "system" for part in _parts(message["content"])]:
        body["system"] = system
    body["messages"] = _turns(messages)
    given.pop("stream_options", None)
    if tools := given.pop("tools", None):
        body["tools"] = [_tool(each["function"]) for each in tools]
    effort, form = _effort(given, request, dialect), given.pop("response_format", {})
    config: Json = {}
    if form.get("type") == "json_schema":
        config["format"] = {"type": "json_schema", "schema": form["json_schema"]["schema"]}
    if effort is not None:
        body["thinking"] = _thinking(effort, dialect, body["max_tokens"])
        if body["thinking"]["type"] == "adaptive":
            config["effort"] = "low" if effort == "minimal" else effort
    return body | ({"output_config": config} if config else {}) | given


def _effort(given: Json, request: ChatRequest, dialect: Dialect) -> str | None:
    """The word for the effort; removes other endpoints' switches that turn thinking off."""
    word = given.pop("reasoning_effort", None)
    if not usual.wants_no_thoughts(request) or "reasoning_effort" in dialect.dropped:
        return word
    for name in {*usual.OFF_SWITCHES} - {*request.sampling.extra_body}:
        given.pop(name, None)
    return "none" if dialect.off_switch not in {"lowest", ""} else word


def _thinking(effort: str, dialect: Dialect, limit: int) -> Json:
    if effort == "none":
        return {"type": "disabled"}
    if not dialect.thinking_budget:
        return {"type": "adaptive"}
    budget = max(_LEAST_BUDGET, min(_BUDGETS.get(effort, _LEAST_BUDGET), limit - 1))
    return {"type": "enabled", "budget_tokens": budget}


def _turns(messages: list[Json]) -> list[Json]:
    """Messages without the system's. Results of calls, and words after them, are one message of the user."""
    turns: list[Json] = []
    for message in messages:
        if message["role"] == "system":
            continue
        in_blocks = message["role"] == "tool" or {"tool_calls", "thinking_blocks"} & message.keys()
        if in_blocks or (turns and turns[-1]["role"] == message["role"]):
            turn = {"role": "user" if message["role"] == "tool" else message["role"], "content": _blocks(message)}
        else:
            turn = message
        if turns and turns[-1]["role"] == turn["role"]:
            turns[-1] = {"role": turn["role"], "content": [*_parts(turns[-1]["content"]), *_parts(turn["content"])]}
        else:
            turns.append(turn)
    return turns


def _blocks(message: Json) -> list[Json]:
    parts = _parts(message["content"]) if message["content"] else []
    if message["role"] != "tool":
        return [*message.get("thinking_blocks", ()), *parts, *(_use(call) for call in message.get("tool_calls", ()))]
    mark = {name: part.pop(name) for part in parts for name in ("cache_control",) if name in part}
    return [{"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": parts, **mark}]


def _use(call: Json) -> Json:
    function: Json = call["function"]
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": json.loads(function["arguments"])}


def _tool(function: Json) -> Json:
    return {"name": function["name"], "description": function["description"], "input_schema": function["parameters"]}


def _parts(content: Any) -> list[Json]:
    return cast("list[Json]", content) if isinstance(content, list) else [{"type": "text", "text": content}]


def adapt(dialect: Dialect, request: ChatRequest, complaint: Complaint) -> Dialect | None:
    """Like `complaints.adapt`; models without adaptive thinking get a budget of tokens, which the limit includes."""
    effort = usual.spoken(request, dialect).get("reasoning_effort")
    about = complaint.param == "reasoning_effort" and _MANNER.search(complaint.text)
    if effort not in {None, "none"} and about and not dialect.thinking_budget:
        room = max(dialect.room, _BUDGETS.get(str(effort), _LEAST_BUDGET))
        return dialect.model_copy(update={"thinking_budget": True, "room": room})
    return complaints.adapt(dialect, request, complaint)


def renamed(complaint: Complaint, request: ChatRequest) -> Complaint:
    """The complaint with the field's name in a chat completion as its parameter, unless the user set that field."""
    names = _NAMES if request.toolbox else tuple(each for each in _NAMES if each[0] != "tools")
    found = [(match.start(), name) for name, words in names if (match := words.search(complaint.message))]
    own = re.match(r"\W*(\w+)", complaint.message)
    if not found or (own and own[1] in request.sampling.extra_body):
        return complaint
    name = min(found)[1]
    if name == "output_config":  # which has both
        name = "response_format" if request.answer_schema else "reasoning_effort"
    return complaint._replace(param=name)


def read(body: bytes, latency_s: float) -> Completion:
    """The completion in the body of a 200; see `answers.read_completion`."""
    return read_completion(body, latency_s, parse)


def parse(body: bytes) -> Json:
    """Parses a Message, whole or in pieces, into a chat completion.

    Raises:
        ValueError, KeyError, TypeError, IndexError, AttributeError: it is not a Message.
    """
    return answer_of(_collected(body) if body[:64].lstrip().startswith(EVENTS) else parsed(body))


def answer_of(message: Any) -> Json:
    """Converts a Message to a chat completion; keeps errors, with their status as their code.

    Raises:
        KeyError, TypeError, AttributeError: it is not a Message.
    """
    if message.get("type") == "error" or message.get("error"):
        error = cast("Json", message["error"])
        return {"error": error | {"code": STATUS.get(error.get("type") or "", 500)}}
    blocks, usage = cast("list[Json]", message["content"]), fields_of(message.get("usage"))
    thoughts = [block.get("thinking") or "" for block in blocks if block.get("type") == "thinking"]
    said: Json = {"content": "".join(block.get("text") or "" for block in blocks if block.get("type") == "text")}
    if calls := [_call(block) for block in blocks if block.get("type") == "tool_use"]:
        said["tool_calls"] = calls
    if any(thoughts):
        said["reasoning_content"] = "\n".join(filter(None, thoughts))
    if signed := [_signed(block) for block in blocks if block.get("type") in _SIGNED]:
        said["thinking_blocks"] = signed
    reason = message.get("stop_reason") or ""
    choice = {"message": said, "finish_reason": _REASONS.get(reason, reason)}
    return {"model": message.get("model"), "choices": [choice], "usage": _usage(usage)}


def _signed(block: Json) -> Json:
    """A block of thoughts as the API wants it back."""
    return {"type": block["type"]} | {name: block.get(name) or "" for name in _SIGNED[block["type"]]}


def _call(block: Json) -> Json:
    return {"id": block.get("id"), "function": {"name": block.get("name"), "arguments": block.get("input")}}


def _usage(usage: Json) -> Json:
    written, read = usage.get("cache_creation_input_tokens") or 0, usage.get("cache_read_input_tokens") or 0
    asked, answered = total(usage.get("input_tokens"), written, read), usage.get("output_tokens") or 0
    details = fields_of(usage.get("output_tokens_details"))
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": total(asked, answered),
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": details.get("thinking_tokens") or 0},
    }


def _added(block: Json, delta: Json) -> int:
    """Adds a piece to a block; returns its number of characters."""
    pieces = {name: str(delta.get(name) or "") for name in _PIECES}
    for name, piece in pieces.items():
        block[name].append(piece)
    return sum(map(len, pieces.values()))


def _collected(body: bytes) -> Json:
    """The Message in a stream, or the error that ended it.

    Raises:
        ValueError: it is cut off, or too long.
    """
    message, blocks, ended = Json(), dict[int, Json](), False
    chars = 0
    for data in data_of(body):
        event: Json = json.loads(bounded_json(data).decode("utf-8", "replace"))
        match event.get("type"):
            case "error":
                return event
            case "message_start":
                message = dict(event["message"])
            case "content_block_start":
                begun = event["content_block"]
                blocks[event["index"]] = {name: [begun.get(name) or ""] for name in _PIECES}
                blocks[event["index"]] |= {name: begun.get(name) for name in _WHOLE}
            case "content_block_delta":
                chars += _added(blocks[event["index"]], event["delta"])
                if chars > MAX_ANSWER_CHARS:
                    raise ValueError(f"an answer of more than {MAX_ANSWER_CHARS} characters")
            case "message_delta":
                message |= {name: value for name, value in event["delta"].items() if value is not None}
                counted = cast("Json", event.get("usage") or {})
                known = {name: value for name, value in counted.items() if value is not None}
                message["usage"] = (message.get("usage") or {}) | known
            case "message_stop":
                ended = True
            case _:  # pings, and event types of the future
                pass
    if not (ended or message.get("stop_reason")):
        raise ValueError("the stream breaks off")
    return message | {"content": [_joined(block) for block in blocks.values()]}


def _joined(block: Json) -> Json:
    """A block whose pieces have all come; the input of a call is JSON as text."""
    whole = {name: "".join(block[name]) for name in _PIECES}
    return {name: block[name] for name in _WHOLE} | whole | {"input": whole["partial_json"] or "{}"}
