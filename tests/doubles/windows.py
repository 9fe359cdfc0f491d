"""Endpoints with a window of their own, which they keep as real servers do: they refuse, or cut the prompt silently.

The answers are the offline teacher's; tokens are counted here, by a tokenizer of so many bytes a token.
"""

from math import ceil

from aiohttp import web

from tests.doubles.serving import error, message_of

HONEST, DENSE = 4.0, 2.5
"""Bytes a token: of English, and what an older tokenizer makes of names, or a newer one of Korean."""


class Windowed:
    """A manner that keeps a window.

    Args:
        window: tokens of prompt and answer together.
        bytes_per_token: of its tokenizer.
        words: what it says to a request that is too long, from the window, the prompt's tokens and the limit.
        says: what its list of models says of the model.
    """

    def __init__(self, window, bytes_per_token=HONEST, words=None, says=None):
        self.window, self.per_token, self.says = window, bytes_per_token, says or {}
        self.words = words or openai_words
        self.overlong = 0

    def count(self, text):
        return ceil(len(text.encode()) / self.per_token)

    def prompt(self, body):
        return sum(self.count(message["content"]) + 4 for message in body["messages"])

    def __call__(self, provider, body):
        prompt, limit = self.prompt(body), body.get("max_tokens") or body.get("max_completion_tokens")
        if prompt + limit > self.window:
            self.overlong += 1
            return self.words(self.window, prompt, limit)
        return provider.served(body, lambda answer: self.counted(answer, prompt, limit))

    def counted(self, answer, prompt, limit):
        """With this tokenizer's numbers; what is beyond the limit is cut off."""
        said, usage = message_of(answer), answer["usage"]
        tokens = self.count(said["content"])
        if tokens > limit:
            answer["choices"][0]["finish_reason"], tokens = "length", limit
            said["content"] = said["content"].encode()[: int(limit * self.per_token)].decode("utf-8", "ignore")
        usage.update(prompt_tokens=prompt, completion_tokens=tokens, total_tokens=prompt + tokens)

    def models(self, request):
        entry = {"id": "offline-rules", "object": "model"} | self.says
        return web.json_response({"object": "list", "data": [entry]})


def openai_words(window, prompt, limit):
    text = (
        f"This model's maximum context length is {window} tokens. However, you requested {prompt + limit} tokens"
        f" ({prompt} in the messages, {limit} in the completion). Please reduce the length of the messages or"
        " completion."
    )
    return error(400, text, param="messages", code="context_length_exceeded")


def vllm_words(window, prompt, limit):
    """It counts a prompt no further than it has to."""
    if limit > window:
        text = (
            f"max_tokens={limit} cannot be greater than max_model_len=max_total_tokens={window}. Please request fewer"
        )
        return error(400, text, "BadRequestError", code=400)
    text = (
        f"You passed {min(prompt, window - limit + 1)} input tokens and requested {limit} output tokens. However, the"
        f" model's context length is only {window} tokens, resulting in a maximum input length of {window - limit}"
        " tokens. Please reduce the length of the input prompt."
    )
    return error(400, text, "BadRequestError", code=400)


class Cutting(Windowed):
    """Ollama: a prompt that is too long loses its beginning, and the answer ends where the window does."""

    def __call__(self, provider, body):
        prompt = min(self.prompt(body), self.window - 1)
        limit = min(body["max_tokens"], self.window - prompt)
        return provider.served(body, lambda answer: self.counted(answer, prompt, limit))
