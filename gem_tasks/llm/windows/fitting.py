"""Keeps requests within a model's window: prompt and answer together fit, or the request is not sent.

Sources of the window, the first that has it:

| source                                         | why it comes there                               |
|------------------------------------------------|--------------------------------------------------|
| `GEM_LLM_CONTEXT_WINDOW`                       | the user knows better                            |
| the server, about what it serves               | it may have been restarted since the last query  |
| a complaint, now or remembered                 | it has the number of the server that answers     |
| a list of models, about the model's maximum    | the provider may serve less                      |

The request shrinks in this order: room for thought and the answer's limit, down to the stage's minimum
(`Sampling.least`); then the request fails as `context_length`. The length of a prompt is an estimate: in doubt GEM
sends it, and the endpoint's complaint has the right number.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.dialects.dialect import Dialect
from gem_tasks.llm.dialects.memory import Known, Memory
from gem_tasks.llm.usage.tokens import Densities, least_tokens
from gem_tasks.llm.windows.overflow import Overflow, read_overflow
from gem_tasks.llm.windows.reading import Reading

SETTING = "context_window"
"""The parameter that an error names as wrong when the server cuts prompts."""
_GUESSES = 3
"""After this many complaints without the prompt's length, the answer gets only the stage's minimum."""
_SPARE = 16
"""Tokens of a chat template, which no count includes."""
_ENOUGH = 3
"""Complete answers: the window is not too small for the stage."""
_LEAST_CUT = 1024
"""A server that cuts prompts leaves more than this: smaller counts come from caches."""
_USUAL_LEAST = 9
"""Letters per token of a prompt that was cut to less than half: no tokenizer has more than 4.5."""


class Window(NamedTuple):
    """Tokens that prompt and answer may have together."""

    tokens: int
    source: str
    """Where the number comes from, in words."""
    checked: bool = True
    """Whether it was found out in this run."""


class Windows:
    """Belongs to one client.

    Args:
        read: asks the endpoint about a model; returns None if it does not tell.
        memory: memory of the endpoint.
        asked: the user's setting.
    """

    def __init__(self, read: Callable[[str], Reading | None], memory: Memory, asked: int | None = None) -> None:
        self._read, self._memory, self._asked = read, memory, asked
        self._known: dict[str, Window | None] = {}
        self._presets: dict[str, Dialect] = {}
        self._densities = Densities()
        self._ended: Counter[str] = Counter()
        self._lock = asyncio.Lock()

    def ready(self, model: str) -> bool:
        """Whether `prepare` was called for the model."""
        return model in self._known

    async def prepare(self, known: Known) -> Window | None:
        """Finds out the window of a model, once; None if unknown."""
        async with self._lock:
            if known.model not in self._known:
                self._presets[known.model] = known.dialect
                self._known[known.model] = await self._find(known)
        return self._known[known.model]

    async def _find(self, known: Known) -> Window | None:
        if self._asked:
            return Window(self._asked, "GEM_LLM_CONTEXT_WINDOW")
        found = await asyncio.to_thread(self._read, known.model)
        if found and (found.served or known.window is None or known.window_source == found.place):
            if (known.window, known.window_source) != (found.tokens, found.place):
                await self._remember(known.model, found.tokens, found.place)
            return Window(found.tokens, found.place)
        return Window(known.window, known.window_source, checked=False) if known.window else None

    def bounded(self, request: ChatRequest, limit: int) -> int:
        """The part of the wanted tokens that an answer may have, as currently known."""
        window = self._known.get(request.model)
        return limit if window is None else max(1, min(limit, window.tokens - self._densities.most(request.body)))

    def fit(self, request: ChatRequest, dialect: Dialect, counted: int | None = None) -> int:
        """Tokens to ask for.

        Args:
            request: the request to send.
            dialect: dialect of its model.
            counted: tokens of the prompt, if the endpoint has counted them.

        Raises:
            EndpointError: it cannot fit.
        """
        wanted, window = dialect.limit_of(request), self._known.get(request.model)
        if window is None:
            return wanted
        room = window.tokens - (counted or self._densities.most(request.body)) - _SPARE
        if room >= wanted:
            return wanted
        least = _least(request, dialect, wanted)
        if room >= least:
            return room
        if counted is None and window.tokens - least_tokens(request.body) >= least:
            return least
        if counted is None and not window.checked:  # the server may have been given more since
            self._known[request.model] = window._replace(checked=True)
            return least
        raise _too_long(counted or self._densities.most(request.body), least, window, exact=counted is not None)

    async def narrowed(
        self, request: ChatRequest, dialect: Dialect, error: EndpointError, limit: int, complaints: int
    ) -> int | None:
        """Tokens to ask for instead, after a complaint that a request is too long; None if that would not help.

        Args:
            request: the request that was sent.
            dialect: dialect of its model.
            error: the complaint; if nothing helps, it states the numbers afterwards.
            limit: the token limit that was sent.
            complaints: number of complaints about this request, including this one.
        """
        said = read_overflow(error.complaint.text, limit)
        if said.window:
            await self._complained(request.model, said.window)
        if said.prompt:
            self._densities.observe(request.body, said.prompt)
        window = self._known.get(request.model)
        if window is None or not error.complaint.text:
            return None
        try:
            narrower = self._narrower(request, dialect, said, limit, complaints)
        except EndpointError as told:
            error.detail = f"{told.detail} The endpoint: {error.detail}"
            return None
        return narrower

    def _narrower(self, request: ChatRequest, dialect: Dialect, said: Overflow, limit: int, complaints: int) -> int:
        """A smaller limit that may help.

        Raises:
            EndpointError: there is none.
        """
        found = self.fit(request, dialect, said.prompt)
        least = _least(request, dialect, dialect.limit_of(request))
        if said.prompt is None and found >= limit:  # the guess was too low
            found = max(least, limit // 2)
        if said.prompt is None and complaints >= _GUESSES:
            found = least
        if found >= limit or (said.input_only and said.prompt is None):
            known = self._known[request.model] or Window(0, "")
            raise _too_long(said.prompt or self._densities.most(request.body), least, known, exact=bool(said.prompt))
        return found

    async def answered(self, request: ChatRequest, completion: Completion, limit: int) -> None:
        """Checks the endpoint's count.

        Raises:
            EndpointError: the server cut the prompt.
        """
        usage, body, model = completion.usage, request.body, request.model
        # Anthropic's prompt count leaves out cached tokens.
        prompt = usage.prompt_tokens + (usage.cached_tokens if usage.cached_tokens > usage.prompt_tokens else 0)
        if prompt <= 0:
            return
        window, total = self._known.get(model), prompt + usage.completion_tokens
        at_end = completion.finish_reason == "length" and usage.completion_tokens < limit and _round(total)
        filled = window is not None and window.tokens - _SPARE <= prompt <= window.tokens
        if filled or self._cut(body, prompt):
            raise _cut(prompt, self._densities.least(body), window)
        if at_end and window is None and self._ended[model] < _ENOUGH:
            raise _cut(prompt, self._densities.least(body), window, total, limit)
        if at_end and window is None:
            await self._complained(model, total)
        elif window and not window.checked and total > window.tokens:
            await self._forget(model)
        self._ended[model] += completion.finish_reason != "length"
        self._densities.observe(body, prompt)

    def _cut(self, body: bytes, prompt: int) -> bool:
        """Whether this count is too small for the whole prompt."""
        if prompt < _LEAST_CUT:
            return False
        if _round(prompt) and self._densities.least(body) > prompt * 1.15:
            return True
        return prompt * _USUAL_LEAST < len(body) and prompt * _USUAL_LEAST < len(body.decode("utf-8", "replace"))

    async def _complained(self, model: str, tokens: int) -> None:
        """A complaint names the window; it does not change the user's setting, unless that was too large."""
        now = self._known.get(model)
        if now is None or tokens < now.tokens or not now.checked:
            self._known[model] = Window(tokens, "the endpoint's own words")
            await self._remember(model, tokens, "the endpoint's own words")

    async def _forget(self, model: str) -> None:
        self._known[model] = None
        await self._remember(model, None, "")

    async def _remember(self, model: str, tokens: int | None, source: str) -> None:
        await asyncio.to_thread(self._memory.saw_window, model, self._presets[model], tokens, source)


def bounded(request: ChatRequest, dialect: Dialect, window: int | None) -> Dialect:
    """The dialect with a limit that fits the window, for a request without a retry: that of a batch."""
    wanted = dialect.limit_of(request)
    if window is None or (room := window - Densities().most(request.body) - _SPARE) >= wanted:
        return dialect
    return dialect.model_copy(update={"most": max(room, _least(request, dialect, wanted))})


def _least(request: ChatRequest, dialect: Dialect, wanted: int) -> int:
    """Tokens below which asking is useless: the stage's minimum, and the least that thinking took."""
    thought = dialect.room // 4 if dialect.thinks else 0
    return min(wanted, request.sampling.least + thought)


def _round(tokens: int) -> bool:
    """Whether it is a typical size of a window."""
    return tokens >= 2 * _LEAST_CUT and tokens & (tokens - 1) == 0


def _too_long(prompt: int, least: int, window: Window, *, exact: bool) -> EndpointError:
    about = "" if exact else "about "
    error = EndpointError(
        ErrorClass.CONTEXT_LENGTH,
        f"The prompt of {about}{prompt:,} tokens and {least:,} for the answer do not fit the window of"
        f" {window.tokens:,} (known from {window.source}). Cut smaller segments (GEM_SEGMENT_MAX_TOKENS), or use a"
        " model that takes more; if this one does, set GEM_LLM_CONTEXT_WINDOW.",
    )
    error.faults = {}
    return error


def _cut(prompt: int, expected: int, window: Window | None, size: int | None = None, limit: int = 0) -> EndpointError:
    """The configuration's fault until the model's window is known.

    Args:
        prompt: tokens, as counted by the endpoint.
        expected: lower bound of its tokens.
        window: window of the model.
        size: tokens at which the answer ended.
        limit: token limit of the answer.
    """
    counted = f"it counted {prompt:,} tokens" + (f" of at least {expected:,}" if expected > prompt else "")
    what = f"The server cut your prompt: {counted}"
    if size:
        what = (
            f"The server cut your prompt or the answer: {counted}, was allowed {limit:,} tokens of answer,"
            f" and stopped at {size:,}"
        )
    error = EndpointError(ErrorClass.CONTEXT_LENGTH, f"{what}. Its context is too small.")
    error.parameter = "" if window else SETTING
    return error
