"""The API that an endpoint speaks: OpenAI's chat completions, or Anthropic's Messages.

`GEM_LLM_API` sets it; otherwise the address decides: Anthropic's host, or a path with `anthropic` in it, as gateways
and other providers name their copies of it.
"""

from collections.abc import Callable
from typing import NamedTuple

from yarl import URL

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.domain.request_options import ApiName
from gem_tasks.errors import Complaint
from gem_tasks.llm.apis import anthropic
from gem_tasks.llm.dialects import complaints
from gem_tasks.llm.dialects.dialect import Dialect, Speaker
from gem_tasks.llm.responses.completions import read_completion

_HOST = "api.anthropic.com"


class Api(NamedTuple):
    """How calls to an API are made."""

    path: str
    """Path below the base URL."""
    speaker: Callable[[], Callable[[ChatRequest, Dialect], bytes]]
    """Returns a function that writes the requests of one client."""
    read: Callable[[bytes, float], Completion]
    renamed: Callable[[Complaint, ChatRequest], Complaint]
    adapt: Callable[[Dialect, ChatRequest, Complaint], Dialect | None]


def _as_it_is(complaint: Complaint, request: ChatRequest) -> Complaint:
    del request
    return complaint


APIS: dict[ApiName, Api] = {
    "openai": Api("/chat/completions", lambda: Speaker().speak, read_completion, _as_it_is, complaints.adapt),
    "anthropic": Api(anthropic.PATH, lambda: anthropic.speak, anthropic.read, anthropic.renamed, anthropic.adapt),
}


def api_of(base_url: str, asked: ApiName | None = None) -> ApiName:
    """The name of the API behind an address.

    Args:
        base_url: base URL of the endpoint.
        asked: the user's setting.
    """
    url = URL(base_url)
    return asked or ("anthropic" if url.host == _HOST or "anthropic" in url.parts else "openai")


def rooted(base_url: str, api: ApiName) -> str:
    """The address that paths are added to. Anthropic's clients take it without `/v1`; GEM accepts both."""
    url = URL(base_url)
    if api == "openai" or url.path.rstrip("/").endswith("/v1"):
        return base_url
    return str(url.with_path(url.path.rstrip("/") + "/v1", keep_query=True))
