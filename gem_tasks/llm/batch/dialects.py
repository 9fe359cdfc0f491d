"""Learns a model's dialect from batches: each complaint in an output line changes the next batch.

An answer is a day away, so a lesson is remembered before an answer has proved it. It is stored apart from what calls
have learned, as a separate model (`NAME (batch)`), so that online requests never use a wrong guess.
"""

from collections.abc import Callable

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.errors import EndpointError
from gem_tasks.llm.apis.registry import Api
from gem_tasks.llm.dialects.dialect import Dialect, shape_of
from gem_tasks.llm.dialects.memory import Known, Memory
from gem_tasks.llm.dialects.usage_watch import UsageWatch
from gem_tasks.llm.windows.fitting import bounded

_BATCH = " (batch)"


class BatchDialects:
    """Dialects during one poll of an endpoint: it first reads batches, then writes the next ones.

    Args:
        memory: memory of the endpoint.
        preset: returns the initial dialect of a model.
        api: the API that the endpoint speaks.
        window: tokens that prompt and answer may have together; None uses the learned value.
    """

    def __init__(self, memory: Memory, preset: Callable[[str], Dialect], api: Api, window: int | None = None) -> None:
        self._memory, self._preset, self._api, self._window = memory, preset, api, window
        self._spoken: dict[str, Known] = {}
        """Dialects of the batches that are being read."""
        self._next: dict[str, Known] = {}
        self._speak = api.speaker()
        self._watch = UsageWatch(memory)
        self._news: set[str] = set()
        """Models whose token counts need a warning."""

    def body(self, request: ChatRequest) -> bytes:
        """Body of a line. It includes a JSON schema only if the endpoint is known to accept one, and never streams."""
        asked = self._asked(request)
        return self._speak(asked, self._fitting(asked))

    def limit_of(self, request: ChatRequest) -> int:
        """Tokens allowed for an answer, thoughts included."""
        return self._fitting(request).limit_of(request)

    def takes(self, request: ChatRequest, error: EndpointError) -> bool:
        """Whether the dialect can adapt to the complaint about this request; if so, the next batch does."""
        spoken = self._known(request.model).dialect
        asked = self._asked(request)
        changed = self._api.adapt(spoken, asked, self._api.renamed(error.complaint, asked))
        return changed is not None and self._learn(request, spoken, changed, "")

    def answered(self, request: ChatRequest, completion: Completion) -> None:
        """Reserves as much room for thought as this answer took, or more if thinking used up the limit."""
        if self._watch.look(request, completion):
            self._news.add(request.model)
        spoken = self._known(request.model).dialect
        changed = spoken.thought(completion.usage.reasoning_tokens)
        if completion.finish_reason == "length" and (changed.thinks or not completion.text.strip()):
            changed = changed.roomier(request) or changed
        if changed != spoken:
            self._learn(request, spoken, changed, completion.model)

    def remember(self) -> None:
        """Saves what was learned for other workers, before the batches that taught it are recorded as read."""
        for model, known in self._next.items():
            before = self._known(model).dialect
            if known.dialect != before:
                self._memory.learned(model + _BATCH, before, known.dialect, "batch", known.answered_as)
        for model in self._news:
            self._watch.tell(self._memory.recall(model, self._preset(model)))
        self._news.clear()

    def _known(self, model: str) -> Known:
        if model not in self._spoken:
            online = self._memory.recall(model, self._preset(model))
            batch = self._memory.recall(model + _BATCH, online.dialect)
            dialect = batch.dialect.model_copy(update={"stream": False})
            self._spoken[model] = online.model_copy(update={"dialect": dialect})
        return self._spoken[model]

    def _fitting(self, request: ChatRequest) -> Dialect:
        window = self._window or self._known(request.model).window
        return bounded(request, self._now(request.model), window)

    def _now(self, model: str) -> Dialect:
        return self._next.get(model, self._known(model)).dialect

    def _asked(self, request: ChatRequest) -> ChatRequest:
        known = self._known(request.model)
        unproved = request.answer_schema and shape_of(request, known.dialect) not in known.proved
        return request.without_schema() if unproved else request

    def _learn(self, request: ChatRequest, before: Dialect, after: Dialect, answered_as: str) -> bool:
        known = self._next.get(request.model, self._known(request.model))
        self._next[request.model] = known.with_changes(before, after, "batch", answered_as)
        return True
