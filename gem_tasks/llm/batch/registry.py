"""Which Batch API an endpoint has: that of OpenAI unless its address, or what it speaks, says otherwise."""

from yarl import URL

from gem_tasks.domain.request_options import ApiName
from gem_tasks.llm.apis.registry import api_of
from gem_tasks.llm.batch.anthropic import AnthropicBatches
from gem_tasks.llm.batch.client import BatchClient
from gem_tasks.llm.batch.gemini import GeminiBatches
from gem_tasks.llm.batch.mistral import MistralBatches

_HOSTS: dict[str, type[BatchClient]] = {
    "api.mistral.ai": MistralBatches,
    "generativelanguage.googleapis.com": GeminiBatches,
}


def batches_at(base_url: str, api: ApiName | None) -> type[BatchClient]:
    """The client for an endpoint's batches.

    Args:
        base_url: of the endpoint.
        api: as the user says, see `api_of`.
    """
    if api_of(base_url, api) == "anthropic":
        return AnthropicBatches
    return _HOSTS.get(URL(base_url).host or "", BatchClient)
