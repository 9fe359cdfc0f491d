"""All manners by name: see `serving`, `hosted`, `labs`, `local` and `hostile`."""

from functools import partial

from aiohttp import web

from tests.doubles import hosted, labs, local
from tests.doubles.hostile import ODD
from tests.doubles.serving import Provider, error

__all__ = ["FORCED", "MODERATING", "REFUSING", "THINKING", "WORKING", "Provider", "moderation"]


def billing(provider, body):
    return error(429, "You exceeded your current quota.", "insufficient_quota", code="credit_balance_exhausted")


def no_balance(provider, body):
    return error(402, "Insufficient Balance", "unknown_error")


def spend_limit(provider, body):
    said = {"type": "invalid_request_error", "message": "You have reached your specified API usage limits."}
    return web.json_response({"type": "error", "error": said, "request_id": "r"}, status=400)


def no_key(provider, body):
    return error(401, "Incorrect API key provided: sk-x.", code="invalid_api_key")


moderation = hosted.azure
THINKING = {
    "gpt-5.6": hosted.gpt_5_6, "deepseek": labs.deepseek, "zai": labs.zai, "dashscope": labs.dashscope,
    "kimi": labs.kimi, "mistral-thinking": partial(labs.mistral, thinks=True), "vllm-new": local.vllm(),
    "vllm-old": local.vllm("reasoning_content", none_is_a_switch=False),
    "vllm-old-strict-effort": local.vllm("reasoning_content", none_is_a_switch=False, checks_effort=True),
    "sglang": local.sglang, "llamacpp": local.llamacpp(), "ollama": local.ollama,
}  # fmt: skip
"""Those whose thinking can be turned off."""
FORCED = {
    "openai-o": hosted.openai_o, "gpt-5": hosted.gpt_5, "gpt-6-astra": hosted.gpt_6_astra, "gemini": hosted.gemini(),
    "zai-5.3": partial(labs.zai, forced=True), "kimi-k3": partial(labs.kimi, forced=True),
    "gpt-oss-ollama": local.gpt_oss_on_ollama, "raw-think": local.raw_think, "think-block": local.think_block,
    "think-twice": local.think_twice, "litellm-drops": local.litellm_drops,
}  # fmt: skip
"""Those which think whatever they are told."""
WORKING = THINKING | FORCED | {
    "openai-4": hosted.openai_4, "gpt-5.2": hosted.gpt_5_2, "openai-rate": hosted.openai_rate,
    "azure-filter-down": partial(hosted.azure, where="down"), "anthropic-compat": hosted.anthropic_compat(),
    "gemini-no-schema": hosted.gemini(schema=False), "openrouter": hosted.openrouter(), "groq": hosted.groq,
    "mistral": labs.mistral, "lmstudio": local.lmstudio, "lmstudio-text": partial(local.lmstudio, texts_only=True),
    "tgi": local.tgi, "no-system-role": local.no_system, "stream-only": local.stream_only, "litellm": local.litellm,
    "litellm-nested": partial(local.litellm, nested=True), **ODD,
}  # fmt: skip
"""Those with which a corpus becomes a dataset."""
MODERATING = {
    "azure-prompt": hosted.azure, "azure-output": partial(hosted.azure, where="output"),
    "openrouter-moderation": hosted.openrouter_moderation,
}  # fmt: skip
"""Those which refuse one text."""
REFUSING = {
    "billing": (billing, "no_credit"), "no-balance": (no_balance, "no_credit"),
    "spend-limit": (spend_limit, "no_credit"), "zai-balance": (labs.zai_balance, "no_credit"),
    "kimi-balance": (labs.kimi_balance, "no_credit"), "arrearage": (labs.arrearage, "no_credit"),
    "litellm-budget": (local.litellm_budget, "no_credit"),
    "litellm-budget-400": (partial(local.litellm_budget, status=400), "no_credit"),
    "litellm-quota": (local.litellm_upstream_quota, "no_credit"), "hf-credits": (local.hf_credits, "no_credit"),
    "no-key": (no_key, "auth"), "azure-unknown": (hosted.azure_unknown, "unknown_model"),
}  # fmt: skip
"""Those which refuse everything: money, the key, the model; with the class of that."""
