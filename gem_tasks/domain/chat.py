"""One question to a model and its answer, independent of transport."""

from typing import Literal

from gem_tasks.domain.base import Json, Value


class ChatMessage(Value):
    """A message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(Value):
    """Sampling parameters; part of the recipe, because they change the output."""

    temperature: float = 0.7
    max_tokens: int = 8192
    """Upper bound of the completion in tokens."""


class ChatRequest(Value):
    """A call that a stage wants made. The model's name is added by the pipeline from the recipe."""

    model: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()

    def to_openai(self) -> Json:
        """The body of `POST /chat/completions`."""
        messages = [message.model_dump() for message in self.messages]
        return {"model": self.model, "messages": messages, **self.sampling.model_dump()}


class Usage(Value):
    """Tokens as the endpoint counted them."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` that the endpoint had cached."""
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Field by field."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


class Completion(Value):
    """An answer that arrived."""

    text: str
    finish_reason: str
    """As the endpoint says: `stop`, `length`, `content_filter`, …"""
    usage: Usage = Usage()
    latency_s: float = 0.0
    """From sending the request that succeeded to the last byte of its answer."""
    calls: int = 1
    """HTTP requests made for it, including those answered with 429 or 5xx."""
    model: str = ""
    """As the endpoint names itself, which may differ from what was asked for."""
