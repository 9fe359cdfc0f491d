"""Reads the numbers in a complaint that a request is too long: the window, and how long the prompt is.

| who                              | words                                                                         |
|----------------------------------|-------------------------------------------------------------------------------|
| OpenAI, DeepSeek, vLLM           | `maximum context length is W tokens … (P in the messages, A in the completion)` |
| vLLM                             | `passed P input tokens and requested A … context length is only W`            |
| vLLM, TRT-LLM                    | `max_tokens=A cannot be greater than max_model_len=max_total_tokens=W`        |
| Anthropic                        | `prompt is too long: P tokens > W maximum`, `exceed context limit: P + A > W` |
| Gemini                           | `input token count (P) exceeds the maximum number of tokens allowed (W)`      |
| llama.cpp                        | `"n_prompt_tokens": P, "n_ctx": W`, `available context size (W tokens)`       |
| LM Studio                        | `(n_keep: P >= n_ctx: W)`, `context length of only W`                         |
| SGLang                           | `The input (P tokens) is longer than the model's context length (W tokens)`   |
| Mistral                          | `Prompt contains P tokens … too large for model with W maximum context length` |
| Kimi                             | `exceeded model token limit: W`                                               |
| Alibaba                          | `Range of input length should be [1, W]`                                      |
| TGI, Together                    | `` `inputs` tokens + `max_new_tokens` must be <= W. Given: P `inputs` tokens `` |
| xAI, Copilot, Ollama's cloud     | `maximum prompt length is W but the request contains P tokens`, and the like  |
| Groq, Cerebras                   | `Limit W, Requested …`, `Current length is P while limit is W`                |
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.patterns import IgnoringCase

_N = r"(\d[\d,_]{0,15}+)"
_LEAST, _MOST = 256, 100_000_000
"""Other numbers are not windows: MiniMax puts an error code after `context window exceeds limit`."""


def _any_of(*patterns: str) -> tuple[IgnoringCase, ...]:
    return tuple(IgnoringCase(pattern.replace("N", _N)) for pattern in patterns)


# fmt: off
_WINDOW = _any_of(
    r"context length (?:is|of) only N",
    r"max(?:imum)? (?:allowed )?(?:context|prompt|model|sequence|input) length(?: is| of|:| =)? ?(?:only )?N",
    r"\bwith N max(?:imum)? context length",
    r"available context size \(N",
    r"\bn_ctx\W{1,5}N",
    r"exceed context limit: \d+ \+ \d+ > N",
    r"> N maximum",
    r"number of (?:input )?tokens allowed \(N",
    r"context length \(N",
    r"model token limit ?:? ?N",
    r"max_new_tokens`? must be <= N",
    r"input length should be \[\s*\d+\s*,\s*N",
    r"max_(?:model_len|total_tokens)\s*=\s*(?:max_total_tokens\s*=\s*)?N",
    r"exceeds? the (?:configured )?limit of N",
    r"while (?:the )?limit is N",
    r"\blimit:? N(?:,|(?<=,)) requested:? \d",
    r"context (?:window|size|length|limit) ?(?:is|of|:|=) ?N",
)
_PROMPT = _any_of(
    r"\(N in the messages", r"\(N of text input", r"\bN tokens from the input", r"resulted in N tokens",
    r"(?:request|messages|prompt) (?:has|contains?) N (?:input )?tokens", r"prompt is too long: N",
    r"token count (?:of |\()N", r"input \(N tokens", r"request \(N tokens", r"\bn_prompt_tokens\W{1,5}N",
    r"\bn_keep\W{1,5}N", r"given: N `?inputs", r"passed N input tokens", r"prompt \(length N", r"current length is N",
    r"exceed context limit: N \+",
)
# fmt: on
_INPUT_ONLY = IgnoringCase(
    r"input length should be|maximum prompt length|input token count|prompt is too long|available context size|n_keep"
    r"|first \d+ tokens when context|longer than the model's context length",
)


class Overflow(NamedTuple):
    """Numbers of a complaint; None if it does not state them."""

    window: int | None = None
    """Tokens of prompt and answer together; some count the prompt alone."""
    prompt: int | None = None
    """Tokens of the prompt."""
    input_only: bool = False
    """The prompt alone is too long: a shorter answer does not help."""


def read_overflow(text: str, limit: int) -> Overflow:
    """Reads the numbers of a complaint.

    Args:
        text: words of the complaint.
        limit: token limit of the answer. vLLM stops counting a prompt one token beyond what that leaves: then the
            prompt is longer by an unknown amount.
    """
    window, prompt = _first(_WINDOW, text), _first(_PROMPT, text)
    if window is None or not _LEAST <= window <= _MOST:
        window = None
    elif prompt == window - limit + 1:
        prompt = None
    return Overflow(window, prompt, bool(_INPUT_ONLY.search(text)))


def _first(patterns: Sequence[IgnoringCase], text: str) -> int | None:
    found = next(filter(None, (pattern.search(text) for pattern in patterns)), None)
    return int(re.sub(r"\D", "", found[1])) if found else None
