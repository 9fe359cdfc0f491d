"""What batches teach about a model's dialect: each complaint in an output line changes the next batch.

An answer is a day away, so what a batch taught is remembered before one has proved it; beside what calls have learned,
as a model of its own (`NAME (batch)`), lest a wrong guess be spoken online.
"""

from collections.abc import Callable

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.errors import EndpointError
from gem_tasks.llm.complaints import adapt
from gem_tasks.llm.dialect import Dialect, Speaker, shape_of
from gem_tasks.llm.memory import Known, Memory

_BATCH = " (batch)"


class BatchDialects:
    """Of one visit to an endpoint: batches are read first, then the next are written.

    Args:
        memory: of the endpoint.
        preset: what to begin with, by model.
    """

    def __init__(self, memory: Memory, preset: Callable[[str], Dialect]) -> None:
        self._memory, self._preset = memory, preset
        self._spoken: dict[str, Known] = {}
        """As the batches were written that are read now."""
        self._next: dict[str, Known] = {}
        self._speaker = Speaker()

    def body(self, request: ChatRequest) -> bytes:
        """Of a line. A JSON schema goes along only where the endpoint is known to take one; nothing is streamed."""
        return self._speaker.speak(self._asked(request), self._now(request.model))

    def limit_of(self, request: ChatRequest) -> int:
        """Tokens that an answer may have, thoughts included."""
        return self._now(request.model).limit_of(request)

    def takes(self, request: ChatRequest, error: EndpointError) -> bool:
        """Whether the complaint about this request can be adapted to; the next batch is."""
        spoken = self._known(request.model).dialect
        changed = adapt(spoken, self._asked(request), error.complaint)
        return changed is not None and self._learn(request, spoken, changed, "")

    def answered(self, request: ChatRequest, completion: Completion) -> None:
        """Room for thought, as much as this answer took, or more if thinking ate it."""
        spoken = self._known(request.model).dialect
        changed = spoken.thought(completion.usage.reasoning_tokens)
        if completion.finish_reason == "length" and (changed.thinks or not completion.text.strip()):
            changed = changed.roomier(request) or changed
        if changed != spoken:
            self._learn(request, spoken, changed, completion.model)

    def remember(self) -> None:
        """For the workers that come next; before the batches that taught it are recorded as read."""
        for model, known in self._next.items():
            before = self._known(model).dialect
            if known.dialect != before:
                self._memory.learned(model + _BATCH, before, known.dialect, "batch", known.answered_as)

    def _known(self, model: str) -> Known:
        if model not in self._spoken:
            online = self._memory.recall(model, self._preset(model))
            batch = self._memory.recall(model + _BATCH, online.dialect)
            dialect = batch.dialect.model_copy(update={"stream": False})
            self._spoken[model] = online.model_copy(update={"dialect": dialect})
        return self._spoken[model]

    def _now(self, model: str) -> Dialect:
        return self._next.get(model, self._known(model)).dialect

    def _asked(self, request: ChatRequest) -> ChatRequest:
        unproved = request.answer_schema and shape_of(request) not in self._known(request.model).proved
        return request.without_schema() if unproved else request

    def _learn(self, request: ChatRequest, before: Dialect, after: Dialect, answered_as: str) -> bool:
        known = self._next.get(request.model, self._known(request.model))
        self._next[request.model] = known.with_changes(before, after, "batch", answered_as)
        return True
