"""Anthropic's own API as its SDK's types describe it: Messages, their batches, models; the offline teacher behind it.

Strict about what the real one refuses: fields it does not have, a system role, a missing limit or version, sampling on
new models, the manner of thinking of the other generation. What it caches is what a request marks.
"""

import asyncio
import json
import re
import time
from functools import partial

from aiohttp import web

from tests.doubles.serving import THOUGHT, Provider

KEY = "sk-ant-api03-test"
FIELDS = {
    "model", "messages", "max_tokens", "system", "temperature", "top_p", "top_k", "thinking", "output_config", "stream",
    "stop_sequences", "metadata", "tools", "tool_choice", "cache_control", "service_tier",
}  # fmt: skip
EFFORTS = ("low", "medium", "high", "xhigh", "max")
MOST_OUTPUT = 64_000
LEAST_CACHED = 1024


def failed(status, type_, message, **details):
    said = {"type": type_, "message": message} | ({"details": details} if details else {})
    return status, {"type": "error", "error": said, "request_id": "req_1"}


def invalid(message):
    return failed(400, "invalid_request_error", message)


class Anthropic(Provider):
    """Args:

    teacher_url: what answers.
    old: a model before adaptive thinking and structured outputs, which takes a temperature.
    thinks: tokens of thought before every answer for which thinking is not turned off.
    before: what is answered instead: `(status, body)` of a body, or None.
    """

    def __init__(self, teacher_url, old=False, thinks=0, before=lambda provider, body: None):
        super().__init__(teacher_url, None)
        self.old, self.thinks, self.before = old, thinks, before
        self.headers, self.cache, self.batches, self.listed = [], set(), {}, 0

    async def _complete(self, request):
        raise AssertionError("the compatible API was asked")

    async def _forward(self, request):
        self.headers.append(dict(request.headers))
        if refused := self._authentication(request):
            self.refused += 1
            return web.json_response(refused[1], status=refused[0])
        match request.method, request.path.removeprefix("/v1").strip("/").split("/"):
            case "GET", ["models"]:
                self.listed += 1
                each = {"type": "model", "id": "offline-rules", "display_name": "Rules", "lifecycle": "active"}
                each |= {"created_at": "2026-01-01T00:00:00Z", "max_input_tokens": 200_000, "max_tokens": MOST_OUTPUT}
                return web.json_response({"data": [each], "has_more": False, "first_id": "m", "last_id": "m"})
            case "POST", ["messages"]:
                return await self._message(request)
            case method, ["messages", "batches", *rest]:
                return await self._batch(method, rest, request)
        return web.json_response(failed(404, "not_found_error", "Not found")[1], status=404)

    def _authentication(self, request):
        given = request.headers.get("x-api-key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if "x-api-key" not in request.headers:
            return failed(401, "authentication_error", "x-api-key header is required")
        if given != KEY:
            return failed(401, "authentication_error", "invalid x-api-key")
        if "anthropic-version" not in request.headers:
            return invalid("anthropic-version: header is required")
        return None

    async def _message(self, request):
        body = await request.json()
        self.asked.append(body)
        status, found = await self.answered(body)
        self.refused += status != 200
        if status == 200 and body.get("stream"):
            return web.Response(text=streamed(found), content_type="text/event-stream")
        return web.json_response(found, status=status)

    async def answered(self, body):
        """`(status, body)`."""
        refused = self.before(self, body) or complaint_about(body, self.old)
        if refused:
            return refused
        asked = [{"role": "system", "content": words(body.get("system", ""))}] if body.get("system") else []
        asked += [{"role": each["role"], "content": words(each["content"])} for each in body["messages"]]
        answer = await self.answer({"messages": asked})
        return 200, self._as_message(body, answer)

    def _as_message(self, body, answer):
        text, usage = answer["choices"][0]["message"]["content"], answer["usage"]
        manner = body.get("thinking", {}).get("type", "disabled" if self.old else "adaptive")
        thought = 0 if manner == "disabled" else min(self.thinks, body["max_tokens"])
        left = body["max_tokens"] - thought
        cut = usage["completion_tokens"] > left
        text = text[: 4 * left] if cut else text
        blocks = [{"type": "thinking", "thinking": THOUGHT[: 4 * thought], "signature": "x"}] if thought else []
        blocks += [{"type": "text", "text": text, "citations": None}] if text else []
        written, read = self._cached(body.get("system"))
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "offline-rules-20260101", "content": blocks,
            "stop_reason": "max_tokens" if cut else "end_turn", "stop_sequence": None,
            "usage": {
                "input_tokens": max(0, usage["prompt_tokens"] - written - read),
                "output_tokens": thought + len(text) // 4,
                "cache_creation_input_tokens": written, "cache_read_input_tokens": read,
                "output_tokens_details": {"thinking_tokens": thought},
            },
        }  # fmt: skip

    def _cached(self, system):
        marked = [part for part in system or [] if isinstance(part, dict) and part.get("cache_control")]
        if not marked or (tokens := len(words(system)) // 4) < LEAST_CACHED:
            return 0, 0
        if words(system) in self.cache:
            return 0, tokens
        self.cache.add(words(system))
        return tokens, 0

    async def _batch(self, method, rest, request):
        match method, rest:
            case "POST", []:
                body = await request.json()
                if refused := _faulty_batch(body):
                    return web.json_response(refused[1], status=refused[0])
                batch_id = f"msgbatch_{len(self.batches)}"
                results = await asyncio.gather(*(self._result(each) for each in body["requests"]))
                self.batches[batch_id] = {"looks": 0, "results": results, "cancelled": False}
                return web.json_response(self._state(batch_id))
            case "GET", []:
                found = [self._state(batch_id) for batch_id in self.batches]
                return web.json_response({"data": found, "has_more": False, "first_id": None, "last_id": None})
            case "GET", [batch_id] if batch_id in self.batches:
                self.batches[batch_id]["looks"] += 1
                return web.json_response(self._state(batch_id))
            case "GET", [batch_id, "results"] if batch_id in self.batches:
                lines = [json.dumps(each) for each in reversed(self.batches[batch_id]["results"])]
                return web.Response(text="\n".join(lines) + "\n", content_type="application/x-jsonl")
            case "DELETE", [batch_id] if batch_id in self.batches:
                del self.batches[batch_id]
                return web.json_response({"id": batch_id, "type": "message_batch_deleted"})
        return web.json_response(failed(404, "not_found_error", "no such batch")[1], status=404)

    async def _result(self, each):
        self.asked.append(each["params"])
        status, found = await self.answered(each["params"])
        kind = {"type": "succeeded", "message": found} if status == 200 else {"type": "errored", "error": found}
        if status == "expired":
            kind = {"type": "expired"}
        return {"custom_id": each["custom_id"], "result": kind}

    def _state(self, batch_id):
        batch = self.batches[batch_id]
        ended, total = batch["looks"] > 1, len(batch["results"])
        counted = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        for each in batch["results"]:
            counted[each["result"]["type"] if ended else "processing"] += 1
        assert sum(counted.values()) == total
        host = self.url.removesuffix("/v1")
        return {
            "id": batch_id, "type": "message_batch", "processing_status": "ended" if ended else "in_progress",
            "request_counts": counted, "created_at": _now(), "expires_at": _now(), "archived_at": None,
            "cancel_initiated_at": _now() if batch["cancelled"] else None, "ended_at": _now() if ended else None,
            "results_url": f"{host}/v1/messages/batches/{batch_id}/results" if ended else None,
        }  # fmt: skip


def _faulty_batch(body):
    extra = sorted(body.keys() - {"requests"})
    ids = [each.get("custom_id") for each in body.get("requests", [])]
    if extra or not ids or len(set(ids)) != len(ids):
        return invalid(f"{extra or 'requests'}: Extra inputs are not permitted")
    for each in body["requests"]:
        named = each.keys() == {"custom_id", "params"} and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each["custom_id"])
        if not named or each["params"].get("stream"):
            return invalid("requests.0: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'")
    return None


def words(content):
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def complaint_about(body, old):
    if extra := sorted(body.keys() - FIELDS):
        return invalid(f"{extra[0]}: Extra inputs are not permitted")
    limit = body.get("max_tokens")
    if not isinstance(limit, int):
        return invalid("max_tokens: Field required")
    if limit > MOST_OUTPUT:
        return invalid(
            f"max_tokens: {limit} > {MOST_OUTPUT}, which is the maximum allowed number of output tokens for m"
        )
    if any(each["role"] not in {"user", "assistant"} for each in body["messages"]):
        return invalid('messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter')
    if body["messages"][-1]["role"] != "user":
        return invalid("This model does not support assistant message prefill.")
    if any(not words(each["content"]) for each in body["messages"]):
        return invalid("messages: text content blocks must be non-empty")
    if not old and body.keys() & {"temperature", "top_p", "top_k"}:
        return invalid("`temperature` is deprecated for this model.")
    return _about_thinking(body, old) or _about_output(body, old)


def _about_thinking(body, old):
    match body.get("thinking"):
        case {"type": "enabled", **more} if old:
            if not 1024 <= more.get("budget_tokens", 0) < body["max_tokens"]:
                return invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
            if body.get("temperature", 1) != 1:
                return invalid("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.")
        case {"type": "enabled"}:
            text = '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and'
            return invalid(f'{text} "output_config.effort" to control thinking behavior.')
        case {"type": "adaptive"} if old:
            return invalid("adaptive thinking is not supported on this model")
        case None | {"type": "disabled"} | {"type": "adaptive"}:
            return None
        case other:
            return invalid(f"thinking: Input should be a valid dictionary, not {other}")
    return None


def _about_output(body, old):
    config = body.get("output_config", {})
    if old and config:
        return invalid("output_config: Extra inputs are not permitted")
    if config.get("effort", "low") not in EFFORTS:
        return invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    if "format" in config and config["format"].keys() != {"type", "schema"}:
        return invalid("output_config.format.schema: Field required")
    return None


def streamed(message):
    """The same in events."""
    events = [{"type": "message_start", "message": message | {"content": [], "stop_reason": None}}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        name = block["type"]
        start, delta = {"type": name, name: ""} | ({"signature": ""} if name == "thinking" else {}), f"{name}_delta"
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        pieces = [block[name][at : at + 50] for at in range(0, len(block[name]), 50)]
        events += [{"type": "content_block_delta", "index": index, "delta": {"type": delta, name: p}} for p in pieces]
        events.append({"type": "content_block_stop", "index": index})
    usage = {"output_tokens": message["usage"]["output_tokens"], "input_tokens": None}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events += [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events)


def overloaded_at_first(provider, body):
    return failed(529, "overloaded_error", "Overloaded") if len(provider.asked) <= 2 else None


def limits_spend(provider, body, status=400, text="You have reached your specified API usage limits."):
    return failed(status, "invalid_request_error", text)


def over_its_tier(provider, body):
    return failed(429, "rate_limit_error", "Monthly limit.", error_code="enforced_spend_limit_reached")


def refuses(provider, body, trigger="parcel locker"):
    """The model's classifiers step in."""
    if trigger not in json.dumps(body["messages"]).lower():
        return None
    details = {"type": "refusal", "category": "cyber", "explanation": None}
    usage = {"input_tokens": 9, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    return 200, message | {"stop_reason": "refusal", "stop_details": details, "stop_sequence": None}


def too_long(provider, body, trigger="parcel locker"):
    if trigger in json.dumps(body["messages"]).lower():
        return invalid("prompt is too long: 210000 tokens > 200000 maximum")
    return None


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


WORKING = {
    "new": Anthropic, "old": partial(Anthropic, old=True), "thinks": partial(Anthropic, thinks=1500),
    "overloaded": partial(Anthropic, before=overloaded_at_first),
}  # fmt: skip
