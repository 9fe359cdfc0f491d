"""The manners of servers that people run, and of gateways: vLLM, SGLang, llama.cpp, Ollama, LM Studio, TGI, LiteLLM."""

import json
from functools import partial

from aiohttp import web

from gem_tasks.prompts import shipped
from tests.doubles.serving import THOUGHT, cut_by_thinking, error, limit_of, message_of, thinking_in

INSTRUCTIONS = [prompt.text for prompt in shipped().by_name.values()]


def raw_think(provider, body, form="{thoughts}</think>\n{answer}"):
    """No reasoning parser: thoughts are in the text, and no switch is known."""
    limit = limit_of(body)

    def change(answer):
        cut_by_thinking(answer, limit)
        said = message_of(answer)
        whole = form.format(thoughts=THOUGHT, answer=said["content"])
        if answer["choices"][0]["finish_reason"] == "length":
            whole = whole[: 4 * limit] if limit > 1510 else whole.partition("</think>")[0][: 4 * limit]
        said["content"] = whole

    return provider.served(body, change)


think_block = partial(raw_think, form="<think>\n{thoughts}</think>\n\n{answer}")
think_twice = partial(raw_think, form="<think>{thoughts}</think>\n<think>Once more.</think>{answer}")


def _template(body):
    """Whether the chat template's switch says to think."""
    kwargs = body.get("chat_template_kwargs") or {}
    return kwargs.get("enable_thinking", True)


class vllm:
    """Unknown fields are ignored; the template has a switch, and in new versions the effort `none` sets it."""

    def __init__(self, field="reasoning", none_is_a_switch=True, checks_effort=False):
        self.field, self.none_is_a_switch, self.checks_effort = field, none_is_a_switch, checks_effort

    def __call__(self, provider, body):
        effort = body.get("reasoning_effort")
        if self.checks_effort and effort not in {None, "low", "medium", "high"}:
            fault = {"type": "literal_error", "loc": ("body", "reasoning_effort"), "input": effort}
            detail = str([fault | {"msg": "Input should be 'low', 'medium' or 'high'"}])
            flat = {"object": "error", "message": detail, "type": "Bad Request", "param": None, "code": 400}
            return web.json_response(flat, status=400)
        off = not _template(body) or (self.none_is_a_switch and effort == "none")
        if off:
            return provider.served(body)
        return provider.served(body, thinking_in(self.field, limit_of(body)))

    @staticmethod
    def models(request):
        found = {"id": "offline-rules", "object": "model", "owned_by": "vllm", "max_model_len": 131072}
        return web.json_response({"object": "list", "data": [found]})


def sglang(provider, body):
    if "developer" in {message["role"] for message in body["messages"]}:
        flat = {"object": "error", "message": "Unexpected message role.", "type": "BadRequestError", "param": None}
        return web.json_response(flat | {"code": 400}, status=400)
    if body.get("temperature", 1) < 0:
        return web.json_response(
            {"object": "error", "message": "temperature must be non-negative", "code": 400}, status=400
        )
    if not _template(body):
        return provider.served(body)
    return provider.served(body, thinking_in("reasoning_content", limit_of(body)))


class llamacpp:
    """Still loading for the first calls; then thoughts apart, which the effort `none` turns off."""

    def __init__(self, window=1 << 20):
        self.window = window

    def __call__(self, provider, body):
        if provider.calls <= 3:
            said = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
            return web.json_response({"error": said}, status=503)
        counted = sum(len(message["content"]) for message in body["messages"]) // 4
        if counted > self.window:
            text = f"the request exceeds the available context size ({self.window} tokens), try increasing it"
            said = {"code": 400, "message": text, "type": "exceed_context_size_error"}
            return web.json_response({"error": said | {"n_prompt_tokens": counted, "n_ctx": self.window}}, status=400)
        if not _template(body) or body.get("reasoning_effort") == "none":
            return provider.served(body)
        return provider.served(body, thinking_in("reasoning_content", limit_of(body, "max_tokens")))

    def models(self, request):
        if request.path.endswith("/props"):
            return web.json_response({"default_generation_settings": {"n_ctx": self.window}, "total_slots": 1})
        found = {"id": "/models/m.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}
        return web.json_response({"object": "list", "data": [found]})


def ollama(provider, body, levels=("none", "low", "medium", "high")):
    """Only the effort is a switch; whatever else is said about thinking is ignored."""
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in levels:
        return error(400, f'think value "{effort}" is not supported for this model', "api_error")
    if effort == "none":
        return provider.served(body)
    return provider.served(body, thinking_in("reasoning", limit_of(body, "max_tokens")))


gpt_oss_on_ollama = partial(ollama, levels=("low", "medium", "high"))


def lmstudio(provider, body, texts_only=False):
    """Every sixth answer is thoughts and nothing else, and counts nothing."""
    form = (body.get("response_format") or {}).get("type")
    known = ("text",) if texts_only else ("json_schema", "text")
    if form and form not in known:
        allowed = " or ".join(f"'{word}'" for word in known)
        return web.json_response({"error": f"'response_format.type' must be {allowed}"}, status=400)

    def change(answer):
        if provider.calls % 6 == 2:
            message_of(answer).update(content="", reasoning_content="Hm, let me think about that.")
            answer["usage"] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    return provider.served(body, change)


def tgi(provider, body):
    if "response_format" in body:
        said = {"error": "Input validation error: grammar is not supported", "error_type": "validation"}
        return web.json_response(said, status=422)
    return provider.served(body, lambda answer: answer["choices"][0].update(finish_reason="eos_token"))


def hf_credits(provider, body):
    text = "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more."
    return web.json_response({"error": text}, status=402)


def no_system(provider, body):
    """Gemma and other templates without a system role."""
    if any(message["role"] == "system" for message in body["messages"]):
        return error(400, "System role not supported", "BadRequestError", code=400)
    first, *others = body["messages"]
    small = first["content"].partition("\n\n# ")[0]  # of the question before a run
    # The teacher wants them apart.
    instructions = next((text for text in INSTRUCTIONS if first["content"].startswith(text)), small)
    rest = first | {"content": first["content"].removeprefix(instructions).lstrip()}
    return provider.served(body | {"messages": [{"role": "system", "content": instructions}, rest, *others]})


def stream_only(provider, body):
    if not body.get("stream"):
        return error(400, "This model only support stream mode, please enable it", code="InvalidParameter")
    return provider.served(body, comment=": keep-alive\n\n")


def litellm(provider, body, nested=False):
    """Unsupported parameters are refused, by name or in the words of the provider behind."""
    refused = sorted(body.keys() & {"temperature", "reasoning_effort"})
    if refused and nested:
        inner = {"message": f"Unsupported value: '{refused[0]}' does not support {body[refused[0]]!r} with this model."}
        inner |= {"type": "invalid_request_error", "param": refused[0], "code": "unsupported_value"}
        text = f"litellm.BadRequestError: OpenAIException - {json.dumps({'error': inner})}. Received Model Group=m"
        return error(400, text, None, code="400")
    if refused:
        text = (
            f"litellm.UnsupportedParamsError: m does not support parameters: {refused}, for model=m."
            " To drop these, set `litellm.drop_params=True`."
        )
        return error(400, text, None, code="400")
    return provider.served(body)


def litellm_drops(provider, body):
    """`drop_params`: whatever the model does not know is left out quietly. It thinks."""
    return provider.served(body, thinking_in("reasoning_content", limit_of(body)))


def litellm_budget(provider, body, status=429):
    type_ = "budget_exceeded" if status == 429 else None
    return error(status, "Budget has been exceeded! Current cost: 10.1, Max budget: 10.0", type_, code=str(status))


def litellm_upstream_quota(provider, body):
    inner = {"message": "You exceeded your current quota.", "type": "insufficient_quota", "code": "insufficient_quota"}
    text = f"litellm.RateLimitError: RateLimitError: OpenAIException - {json.dumps({'error': inner})}"
    return error(429, text, "throttling_error", code="429")
