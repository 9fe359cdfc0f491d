"""The manners of OpenAI, Azure, Anthropic's and Google's compatible endpoints, OpenRouter and Groq."""

import json
from functools import partial

from aiohttp import web

from tests.doubles.serving import cut_by_thinking, error, limit_of, message_of

TRIGGER = "parcel locker"
"""Words that moderation does not like."""


def openai_o(provider, body, efforts=("low", "medium", "high"), default="medium", sampling_at=(), refused=()):
    if "max_tokens" in body:
        text = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return error(400, text, param="max_tokens", code="unsupported_parameter")
    known = {
        *("model", "messages", "max_completion_tokens", "temperature", "top_p", "response_format", "reasoning_effort"),
        *("stream", "stream_options", "stop", "seed", "n", "user", "store", "metadata", "tools", "tool_choice"),
    }
    if extra := sorted(body.keys() - known):
        return error(400, f"Unrecognized request argument supplied: {extra[0]}")
    if named := sorted(body.keys() & set(refused)):
        text = f"Unsupported parameter: '{named[0]}' is not supported with this model."
        return error(400, text, param=named[0], code="unsupported_parameter")
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
        spent = cut_by_thinking(answer, limit_of(body), thought)
        answer["usage"]["completion_tokens_details"] = {"reasoning_tokens": spent}

    return provider.served(body, change)


gpt_5 = partial(openai_o, efforts=("minimal", "low", "medium", "high"))
gpt_5_2 = partial(openai_o, efforts=("none", "low", "medium", "high", "xhigh"), default="none", sampling_at=("none",))
gpt_5_6 = partial(openai_o, efforts=("none", "low", "medium", "high", "xhigh", "max"))
gpt_6_astra = partial(openai_o, efforts=("low", "medium", "high", "xhigh", "max"), refused=("stop", "tools"))


def openai_4(provider, body):
    asked = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    if asked > 16384:
        text = f"max_tokens is too large: {asked}. This model supports at most 16384 completion tokens, whereas you"
        return error(400, f"{text} provided {asked}.", param="max_tokens", code="invalid_value")
    if "reasoning_effort" in body:
        return error(400, "Unrecognized request argument supplied: reasoning_effort")
    return provider.served(body)


def openai_rate(provider, body, first=2, reset="1.5s"):
    if provider.calls <= first:
        headers = {"x_ratelimit_reset_tokens": reset, "retry_after": "1"}
        return error(
            429, "Rate limit reached for m on tokens per min (TPM)", "tokens", code="rate_limit_exceeded", **headers
        )
    return provider.served(body)


def azure(provider, body, where="prompt"):
    """Moderation of one text: before the model sees it, of what it says, or not at all."""
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"violence": {"filtered": True}}}
    told = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
    refusal = {
        "message": told,
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": inner,
    }
    if where == "down":
        failed = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
        return provider.served(body, lambda answer: answer["choices"][0].update(content_filter_results=failed))
    if TRIGGER not in json.dumps(body).lower():
        return provider.served(body)
    if where == "prompt":
        return web.json_response({"error": refusal}, status=400)

    def change(answer):
        answer["choices"][0]["finish_reason"] = "content_filter"
        message_of(answer)["content"] = None

    return provider.served(body, change)


def azure_unknown(provider, body):
    text = "The API deployment for this resource does not exist. If you created it within the last 5 minutes, wait."
    return error(404, text, None, code="DeploymentNotFound")


class anthropic_compat:
    """Ignores what it does not know: prose around JSON, whatever schema it got. Its list wants another header."""

    def __call__(self, provider, body):
        if body.get("n", 1) > 1:
            return error(400, "n: must be 1")

        def change(answer):
            said = message_of(answer)
            if said["content"].startswith("{"):
                said["content"] = (
                    f"Here is my assessment:\n\n```json\n{said['content']}\n```\n\nTell me if you need more."
                )

        return provider.served(body, change)

    @staticmethod
    def models(request):
        said = {"type": "error", "error": {"type": "authentication_error", "message": "x-api-key header is required"}}
        return web.json_response(said, status=401)


class gemini:
    """Errors in an array, without the name of a field; thoughts counted in the total only; names with a prefix.

    Args:
        schema: whether it takes ours.
        odd: every so many-th answer is a function call that went wrong.
    """

    KNOWN = frozenset(
        "model messages max_tokens max_completion_tokens temperature top_p n stop stream stream_options response_format"
        " reasoning_effort tools tool_choice extra_body seed".split()
    )

    def __init__(self, schema=True, odd=7):
        self.schema, self.odd = schema, odd

    def __call__(self, provider, body):
        if extra := sorted(body.keys() - self.KNOWN):
            text = f'Invalid JSON payload received. Unknown name "{extra[0]}": Cannot find field.'
            return self._refused(text)
        form = (body.get("response_format") or {}).get("type")
        if body.get("reasoning_effort") == "none" or (form == "json_schema" and not self.schema):
            return self._refused("Request contains an invalid argument.")
        if provider.calls == 2:
            return self._refused("The model is overloaded. Please try again later.", 503, "UNAVAILABLE")

        def change(answer):
            spent = cut_by_thinking(answer, limit_of(body), 300)
            usage = answer["usage"]
            usage["completion_tokens"] -= spent
            if provider.calls % self.odd == 0:
                answer["choices"][0]["finish_reason"] = "function_call_filter: MALFORMED_FUNCTION_CALL"
                del message_of(answer)["content"]

        return provider.served(body, change)

    @staticmethod
    def _refused(text, status=400, word="INVALID_ARGUMENT"):
        return web.json_response([{"error": {"code": status, "message": text, "status": word}}], status=status)

    @staticmethod
    def models(request):
        return web.json_response({"object": "list", "data": [{"id": "models/offline-rules", "object": "model"}]})


class openrouter:
    """A 200 that is an error, a choice that is one, credit in flight; what a model does not know is dropped."""

    def __call__(self, provider, body):
        said = {"error": {"code": 502, "message": "Upstream error", "metadata": {"provider_name": "p"}}}
        match provider.calls % 8:
            case 1:
                return web.Response(
                    text=": OPENROUTER PROCESSING\n\n" + json.dumps(said), content_type="application/json"
                )
            case 3:
                return provider.served(body, self._broken)
            case 5:
                metadata = {"limit_source": "openrouter_in_flight_budget"}
                said = {"error": {"code": 402, "message": "Insufficient credits in flight", "metadata": metadata}}
                return web.json_response(said, status=402, headers={"Retry-After": "1"})
        wrap = lambda answer: web.Response(text="\n \n" + json.dumps(answer), content_type="application/json")  # noqa: E731
        wrap = None if body.get("stream") else wrap
        return provider.served(body, self._thought, wrap, ": OPENROUTER PROCESSING\n\n")

    @staticmethod
    def _thought(answer):
        message_of(answer).update(reasoning="Hm.", reasoning_details=[{"type": "reasoning.text", "text": "Hm."}])
        answer["choices"][0]["native_finish_reason"] = "STOP"

    @staticmethod
    def _broken(answer):
        answer["choices"][0] |= {"finish_reason": "error", "error": {"code": 502, "message": "Upstream idle timeout"}}
        message_of(answer)["content"] = ""

    @staticmethod
    def models(request):
        found = {"id": "offline-rules", "context_length": 131072, "supported_parameters": ["max_tokens", "temperature"]}
        return web.json_response({"data": [found]})


def openrouter_moderation(provider, body):
    if TRIGGER in json.dumps(body).lower():
        metadata = {"reasons": ["violence"], "flagged_input": "…", "provider_name": "p"}
        text = "Your chosen model requires moderation and your input was flagged"
        return web.json_response({"error": {"code": 403, "message": text, "metadata": metadata}}, status=403)
    return provider.served(body)


def groq(provider, body):
    for name in ("logprobs", "top_logprobs", "logit_bias", "chat_template_kwargs", "thinking", "enable_thinking"):
        if name in body:
            return error(400, f"property '{name}' is unsupported")
    for at, message in enumerate(body["messages"]):
        if "name" in message:
            return error(400, f"'messages.{at}' : for 'role:{message['role']}' property 'name' is unsupported")
    form = body.get("response_format") or {}
    wanted = json.dumps(form)
    for word in ("minItems", "maxItems", "minLength", "pattern"):
        if f'"{word}"' in wanted:
            return error(400, f"invalid JSON schema for response_format: 'answer': {word} is not supported")
    if provider.calls == 1:
        return error(498, "Flex tier capacity exceeded", "capacity_exceeded", code="capacity_exceeded")
    if form and not getattr(provider, "said_json", False):
        provider.said_json = True
        said = {"message": "Failed to validate JSON. Please adjust your prompt.", "type": "invalid_request_error"}
        said |= {"code": "json_validate_failed", "failed_generation": '{"rules": [{"rule": "R1", '}
        return web.json_response({"error": said}, status=400)
    effort = body.get("reasoning_effort")
    if effort and effort not in {"none", "default"}:
        return error(400, "`reasoning_effort` must be one of `none` or `default`")
    return provider.served(body)
