"""Gemini's `generateContent`, used by its batches, translated from and to chat completions. No I/O.

ai.google.dev/api/generate-content
"""

from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.llm.usage.counts import fields_of, total

_REASONS = {"STOP": "stop", "MAX_TOKENS": "length", "SPII": "content_filter"}
_LEVELS = {"xhigh": "HIGH", "max": "HIGH"}
_HTTP = {3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 11: 400, 13: 500, 14: 503, 16: 401}
"""HTTP statuses of gRPC codes, which identify errors in a batch."""


def request_of(given: Json) -> Json:
    """Converts a chat completion request to one of `generateContent`; keeps the user's own fields."""
    given = dict(given)
    messages: list[Json] = given.pop("messages")
    limits = [given.pop(name) for name in ("max_tokens", "max_completion_tokens") if name in given]
    effort, form = given.pop("reasoning_effort", None), cast("Json", given.pop("response_format", {}))
    config: Json = {"maxOutputTokens": limits[0]}
    if "temperature" in given:
        config["temperature"] = given.pop("temperature")
    if form:
        config["responseMimeType"] = "application/json"
    if form.get("type") == "json_schema":
        config["responseJsonSchema"] = form["json_schema"]["schema"]
    if effort is not None:
        level = {"thinkingLevel": _LEVELS.get(effort, effort.upper())}
        config["thinkingConfig"] = {"thinkingBudget": 0} if effort == "none" else level
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    said = [_content(message) for message in messages if message["role"] != "system"]
    told: Json = {"systemInstruction": {"parts": [{"text": system}]}} if system else {}
    return {**told, "contents": said, "generationConfig": config, **given}


def _content(message: Json) -> Json:
    role = "model" if message["role"] == "assistant" else "user"
    return {"role": role, "parts": [{"text": message["content"]}]}


def answer_of(found: Json) -> Json:
    """Converts a response of `generateContent` to a chat completion.

    Raises:
        KeyError, TypeError, IndexError, AttributeError: it is not such a response.
    """
    candidates = cast("list[Json]", found.get("candidates") or [])
    first = candidates[0] if candidates else Json(finishReason="SAFETY")  # the prompt was refused
    content = cast("Json", first.get("content") or {})
    parts = cast("list[Json]", content.get("parts") or [])
    message = {"content": _text(parts, thought=False), "reasoning_content": _text(parts, thought=True)}
    reason = str(first.get("finishReason") or "")
    reason = "error" if reason.startswith("MALFORMED") else _REASONS.get(reason, reason.lower())
    choice = {"message": message, "finish_reason": reason}
    return {
        "model": found.get("modelVersion"),
        "choices": [choice],
        "usage": _usage(fields_of(found.get("usageMetadata"))),
    }


def _text(parts: list[Json], *, thought: bool) -> str:
    return "".join(part.get("text") or "" for part in parts if bool(part.get("thought")) is thought)


def _usage(usage: Json) -> Json:
    prompt, thought = usage.get("promptTokenCount") or 0, usage.get("thoughtsTokenCount") or 0
    answered = total(usage.get("candidatesTokenCount"), thought)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answered,
        "prompt_tokens_details": {"cached_tokens": usage.get("cachedContentTokenCount") or 0},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }


def status_of(error: Any) -> int:
    """HTTP status of an error in a batch, which has a gRPC or HTTP code."""
    code = cast("Json", error).get("code") if isinstance(error, dict) else None
    if not isinstance(code, int):
        return 500
    return _HTTP.get(code, code if 400 <= code < 600 else 500)
