"""The manners of DeepSeek, Z.ai, DashScope, Kimi and Mistral: models that think unless told otherwise."""

import asyncio
import json

from aiohttp import web

from tests.doubles.serving import THOUGHT, cut_by_thinking, error, limit_of, message_of, streamed, thinking_in


def disabled(body):
    return (body.get("thinking") or {}).get("type") == "disabled"


async def deepseek(provider, body):
    if any(message["role"] == "developer" for message in body["messages"]):
        return error(
            400,
            "Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`",
        )
    if (body.get("response_format") or {}).get("type") == "json_schema":
        said = {"error": {"message": "This response_format type is unavailable now", "type": "invalid_request_error"}}
        return web.Response(status=422, body=json.dumps(said).encode(), content_type="application/octet-stream")
    change = (lambda answer: None) if disabled(body) else thinking_in("reasoning_content", limit_of(body, "max_tokens"))

    def changed(answer):
        change(answer)
        answer["usage"] |= {"prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": answer["usage"]["prompt_tokens"]}
        if provider.calls == 3:
            answer["choices"][0]["finish_reason"] = "insufficient_system_resource"
            message_of(answer)["content"] = ""

    def wrap(answer):
        if body.get("stream"):
            return streamed(answer, body, ": keep-alive\n\n" * 3)
        return web.Response(text="\n" * 50 + json.dumps(answer), content_type="application/json")

    await asyncio.sleep(0.05)
    return await provider.served(body, changed, wrap)


def zai(provider, body, forced=False):
    """Reads `max_tokens` only; the newest model thinks whatever it is told, and most when told not to."""
    asked = body.get("max_tokens", 1024)
    if not 1 <= asked <= 131072:
        return error(400, f"max_tokens参数非法：取值范围[1,131072]，当前值{asked}", None, code="1210")
    if provider.calls == 2:
        return error(429, "当前API请求过多，请稍后重试", None, code="1302")
    if (body.get("response_format") or {}).get("type") == "json_schema":
        return error(400, "response_format.type参数非法", None, code="1210")
    if disabled(body) and not forced:
        return provider.served(body)
    deep = 2 if forced and (disabled(body) or body.get("reasoning_effort") not in {"low", "high"}) else 1
    return provider.served(body, thinking_in("reasoning_content", asked, 1500 * deep))


def zai_balance(provider, body):
    return error(429, "您的账户已欠费，请充值后重试", None, code="1113")


def dashscope(provider, body):
    if provider.calls == 1:
        text = "You have exceeded your allocated quota limit. Requests rate limit exceeded, please try again later."
        return error(429, text, "insufficient_quota", code="insufficient_quota")
    thinks = body.get("enable_thinking", True)
    if thinks and not body.get("stream"):
        text = "parameter.enable_thinking must be set to false for non-streaming calls"
        text = f"<400> InternalError.Algo.InvalidParameter: {text}"
        return error(400, text, None, code="InvalidParameter")
    if not thinks:
        return provider.served(body)
    return provider.served(body, thinking_in("reasoning_content", limit_of(body, "max_tokens")))


def arrearage(provider, body):
    return error(
        400, "Access denied, please make sure your account is in good standing.", "Arrearage", code="Arrearage"
    )


def kimi(provider, body, forced=False):
    """No code, no param; K3 cannot be kept from thinking."""

    def said(status, type_, message):
        return web.json_response({"error": {"type": type_, "message": message}}, status=status)

    if provider.calls == 2:
        return said(429, "engine_overloaded_error", "The engine is currently overloaded, please try again later")
    if body.get("temperature", 1) != 1:
        return said(400, "invalid_request_error", "invalid temperature: only 1 is allowed for this model")
    if forced and disabled(body):
        return said(400, "invalid_request_error", "invalid thinking: only type=enabled is allowed for this model")
    if forced and body.get("reasoning_effort", "max") not in {"low", "medium", "high", "xhigh", "max"}:
        return said(400, "invalid_request_error", f"invalid reasoning_effort: {body['reasoning_effort']}")
    change = (lambda answer: None) if disabled(body) else thinking_in("reasoning_content", limit_of(body), 1500)

    def changed(answer):
        change(answer)
        answer["usage"]["cached_tokens"] = 4

    return provider.served(body, changed)


def kimi_balance(provider, body):
    said = {"type": "permission_denied_error", "message": "Your account has an insufficient balance, please recharge"}
    return web.json_response({"error": said}, status=403)


def mistral(provider, body, thinks=False):
    """Anything unknown is refused; content in parts from a model that thinks, its details as an object or as text."""
    allowed = {"model", "messages", "temperature", "top_p", "max_tokens", "response_format", "stream", "stop", "tools"}
    allowed |= {"random_seed", "n", "prompt_mode", "presence_penalty"} | ({"reasoning_effort"} if thinks else set())
    if extra := sorted(body.keys() - allowed):
        given = {"input": body[extra[0]]}
        detail = [
            {"type": "extra_forbidden", "loc": ["body", extra[0]], "msg": "Extra inputs are not permitted", **given}
        ]
        said = {"detail": detail}
        flat = {"object": "error", "message": said, "type": "invalid_request_error", "param": None, "code": None}
        return web.json_response(flat if provider.calls % 2 else flat | {"message": json.dumps(said)}, status=422)
    if body.get("reasoning_effort", "none") not in {"none", "high"}:
        said = "reasoning_effort: Input should be 'none' or 'high'"
        flat = {"object": "error", "message": said, "type": "invalid_request_error", "param": None, "code": "3051"}
        return web.json_response(flat, status=400)
    if not thinks or body.get("reasoning_effort") == "none":
        return provider.served(body)

    def change(answer):
        spent = cut_by_thinking(answer, limit_of(body))
        said = message_of(answer)
        if answer["choices"][0]["finish_reason"] == "length":
            answer["choices"][0]["finish_reason"] = "model_length"
        thoughts = [{"type": "text", "text": THOUGHT[: 4 * spent]}]
        said["content"] = [{"type": "thinking", "thinking": thoughts}, {"type": "text", "text": said["content"]}]

    return provider.served(body, change)
