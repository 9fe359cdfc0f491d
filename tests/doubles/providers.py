"""Endpoints with the manners of real providers, and the offline teacher's answers behind them, over real HTTP.

A manner looks at a request, and refuses it or says how the teacher's answer is to be served. What they do is from
provider documentation and reports of 2025 and 2026; nothing here was written from what GEM happens to send.
"""

import json
from functools import partial

from aiohttp import web

from gem_tasks.prompts import shipped
from tests.integration.endpoint import Front

INSTRUCTIONS = [prompt.text for prompt in shipped().by_name.values()]
THOUGHT = "The text describes a process. " * 200
"""1,500 tokens."""
THOUGHT_TOKENS = 1500


def error(status, message, type_="invalid_request_error", param=None, code=None, **headers):
    """OpenAI's envelope."""
    body = {"error": {"message": message, "type": type_, "param": param, "code": code}}
    return web.json_response(body, status=status, headers=headers)


class Provider(Front):
    """A front whose chat completions are served in a manner: `manner(provider, body)` gives one, or awaits it."""

    def __init__(self, teacher_url, manner):
        super().__init__(teacher_url)
        self.manner, self.refused = manner, 0

    async def _complete(self, request):
        body = await request.json()
        self.asked.append(body)
        found = self.manner(self, body)
        response = found if isinstance(found, web.Response) else await found
        self.refused += response.status != 200
        return response

    async def _forward(self, request):
        manner = getattr(self.manner, "models", None)
        return manner(request) if manner else await super()._forward(request)

    async def answer(self, body):
        """The teacher's, as an object."""
        asked = {"model": "offline-rules", "messages": body["messages"]}
        async with self._session.post(self._teacher + "/chat/completions", json=asked) as got:
            return await got.json()

    async def served(self, body, change=lambda answer: None, wrap=None):
        answer = await self.answer(body)
        change(answer)
        return wrap(answer) if wrap else web.json_response(answer)


def message_of(answer):
    return answer["choices"][0]["message"]


def cut_by_thinking(answer, limit, thought=THOUGHT_TOKENS):
    """Thoughts spend the limit first: nothing is left of the answer if they take all of it."""
    usage, choice = answer["usage"], answer["choices"][0]
    spent = min(thought, limit)
    if limit < thought + usage["completion_tokens"]:
        choice["finish_reason"] = "length"
        choice["message"]["content"] = "" if limit <= thought else choice["message"]["content"][: 4 * (limit - thought)]
    usage["completion_tokens"] = spent + len(choice["message"]["content"]) // 4
    usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
    return spent


def openai_o(provider, body, efforts=("low", "medium", "high"), default="medium", sampling_at=()):
    if "max_tokens" in body:
        text = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return error(400, text, param="max_tokens", code="unsupported_parameter")
    effort = body.get("reasoning_effort", default)
    if effort not in efforts:
        listed = ", ".join(f"'{word}'" for word in efforts)
        text = f"'reasoning_effort' does not support '{effort}' with this model. Supported values are: {listed}."
        return error(400, text, param="reasoning_effort", code="unsupported_value")
    for name in ("temperature", "top_p"):
        if body.get(name, 1) != 1 and effort not in sampling_at:
            text = f"'{name}' does not support {body[name]} with this model. Only the default (1) value is supported."
            return error(400, text, param=name, code="unsupported_value")

    def change(answer):
        thought = 0 if effort == "none" else 300
        spent = cut_by_thinking(answer, body.get("max_completion_tokens", 1 << 20), thought)
        answer["usage"]["completion_tokens_details"] = {"reasoning_tokens": spent}

    return provider.served(body, change)


gpt_5 = partial(openai_o, efforts=("minimal", "low", "medium", "high"))
gpt_5_2 = partial(openai_o, efforts=("none", "low", "medium", "high", "xhigh"), default="none", sampling_at=("none",))
gpt_5_6 = partial(openai_o, efforts=("none", "low", "medium", "high", "xhigh", "max"))


def raw_think(provider, body, form="{thoughts}</think>\n{answer}"):
    limit = body.get("max_tokens", 1 << 20)

    def change(answer):
        cut_by_thinking(answer, limit)
        said = message_of(answer)
        whole = form.format(thoughts=THOUGHT, answer=said["content"])
        if answer["choices"][0]["finish_reason"] == "length":
            whole = whole.partition("</think>")[0][: 4 * limit]
        said["content"] = whole

    return provider.served(body, change)


think_block = partial(raw_think, form="<think>\n{thoughts}</think>\n\n{answer}")
think_twice = partial(raw_think, form="<think>{thoughts}</think>\n<think>Once more.</think>{answer}")


def thinking_field(provider, body, field="reasoning_content"):
    """vLLM with a reasoning parser, Z.ai, Kimi."""

    def change(answer):
        spent = cut_by_thinking(answer, body.get("max_tokens", 1 << 20))
        message_of(answer)[field] = THOUGHT[: 4 * spent]

    return provider.served(body, change)


def stream_only(provider, body):
    if not body.get("stream"):
        return error(400, "This model only support stream mode, please enable it", code="InvalidParameter")

    def wrap(answer):
        text, usage = message_of(answer)["content"], answer["usage"]
        deltas = [
            {"role": "assistant", "content": ""},
            *({"content": text[at : at + 40]} for at in range(0, len(text), 40)),
        ]
        events = [{"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": answer["choices"][0]["finish_reason"]}]})
        if body.get("stream_options", {}).get("include_usage"):
            events.append({"choices": [], "usage": usage})
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        return web.Response(
            text=": keep-alive\n\n" + "".join(lines) + "data: [DONE]\n\n", content_type="text/event-stream"
        )

    return provider.served(body, wrap=wrap)


class gemini:
    """Errors in an array, without the name of a field; thoughts counted in the total only; names with a prefix."""

    def __call__(self, provider, body):
        if body.get("reasoning_effort") == "none" or body.get("response_format", {}).get("type") == "json_schema":
            text = "Request contains an invalid argument."
            return web.json_response(
                [{"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}}], status=400
            )

        def change(answer):
            cut_by_thinking(answer, body.get("max_tokens", 1 << 20), 300)
            usage = answer["usage"]
            usage["completion_tokens"] = max(0, usage["completion_tokens"] - 300)

        return provider.served(body, change)

    @staticmethod
    def models(request):
        return web.json_response({"object": "list", "data": [{"id": "models/offline-rules", "object": "model"}]})


def mistral(provider, body):
    allowed = {"model", "messages", "temperature", "max_tokens", "response_format", "stream", "reasoning_effort"}
    if extra := sorted(body.keys() - allowed):
        detail = [{"type": "extra_forbidden", "loc": ["body", extra[0]], "msg": "Extra inputs are not permitted"}]
        flat = {"object": "error", "message": {"detail": detail}, "type": "invalid_request_error", "code": None}
        return web.json_response(flat, status=422)

    def change(answer):
        said = message_of(answer)
        parts = [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
            {"type": "text", "text": said["content"]},
        ]
        said["content"] = parts

    return provider.served(body, change)


def deepseek(provider, body):
    if body.get("response_format", {}).get("type") == "json_schema":
        return error(422, "This response_format type is unavailable now")

    def wrap(answer):
        return web.Response(text="\n" * 50 + json.dumps(answer), content_type="application/json")

    return provider.served(body, lambda answer: message_of(answer).update(reasoning_content="Hm."), wrap)


def openrouter(provider, body):
    if len(provider.asked) % 3 == 1:
        failed = {"error": {"code": 502, "message": "Upstream error", "metadata": {"provider_name": "p"}}}
        return web.Response(text=": OPENROUTER PROCESSING\n\n" + json.dumps(failed), content_type="application/json")
    wrap = lambda answer: web.Response(text="\n \n" + json.dumps(answer), content_type="application/json")  # noqa: E731
    return provider.served(body, lambda answer: message_of(answer).update(reasoning="Hm."), wrap)


def lmstudio(provider, body):
    form = body.get("response_format", {}).get("type")
    if form in {"json_object", "json_schema"}:
        return web.json_response({"error": "'response_format.type' must be 'text'"}, status=400)
    return provider.served(body)


class anthropic_compat:
    """Ignores what it does not know; its list of models wants another header than a bearer key."""

    def __call__(self, provider, body):
        return provider.served(body)

    @staticmethod
    def models(request):
        said = {"type": "error", "error": {"type": "authentication_error", "message": "x-api-key header is required"}}
        return web.json_response(said, status=401)


def no_system(provider, body):
    """Gemma and other templates without a system role."""
    if any(message["role"] == "system" for message in body["messages"]):
        return error(400, "System role not supported", "BadRequestError", code=400)
    first, *others = body["messages"]
    small = first["content"].partition("\n\n# ")[0]  # of the small question
    instructions = next((text for text in INSTRUCTIONS if first["content"].startswith(text)), small)
    # the teacher wants them apart
    rest = first | {"content": first["content"].removeprefix(instructions).lstrip()}
    return provider.served(body | {"messages": [{"role": "system", "content": instructions}, rest, *others]})


def litellm(provider, body):
    if "temperature" in body:
        text = (
            "litellm.UnsupportedParamsError: m does not support parameters: ['temperature'], for model=m."
            " To drop these, set `litellm.drop_params=True`."
        )
        return error(400, text, None, code="400")
    return provider.served(body)


def billing(provider, body):
    return error(429, "You exceeded your current quota.", "insufficient_quota", code="credit_balance_exhausted")


def no_balance(provider, body):
    return error(402, "Insufficient Balance", "unknown_error")


def spend_limit(provider, body):
    said = {"type": "invalid_request_error", "message": "You have reached your specified API usage limits."}
    return web.json_response({"type": "error", "error": said, "request_id": "r"}, status=400)


def moderation(provider, body, trigger="parcel locker"):
    """Azure's refusal of one text."""
    if trigger in json.dumps(body).lower():
        inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"violence": {"filtered": True}}}
        said = {"message": "filtered", "type": None, "param": "prompt", "code": "content_filter", "innererror": inner}
        return web.json_response({"error": said}, status=400)
    return provider.served(body)


WORKING = {
    "openai-o": openai_o, "gpt-5": gpt_5, "gpt-5.2": gpt_5_2, "gpt-5.6": gpt_5_6,
    "raw-think": raw_think, "think-block": think_block, "think-twice": think_twice,
    "vllm-reasoning": partial(thinking_field, field="reasoning"), "vllm-reasoning-content": thinking_field,
    "stream-only": stream_only, "gemini": gemini(), "mistral": mistral, "deepseek": deepseek,
    "openrouter": openrouter, "lmstudio": lmstudio, "anthropic-compat": anthropic_compat(),
    "no-system-role": no_system, "litellm": litellm,
}  # fmt: skip
"""Those with which a corpus becomes a dataset."""
REFUSING = {"billing": billing, "no-balance": no_balance, "spend-limit": spend_limit}
"""Those which want money."""
