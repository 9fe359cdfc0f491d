"""Learns a model's dialect from real requests, with as few calls as possible.

The first request of a shape that the model has not answered yet goes alone; the others wait up to `_SCOUT_S` for what
it learns. After a complaint, GEM adapts the dialect and repeats the request, up to `_ADAPTATIONS` times. It keeps what
it learned only after an answer.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from gem_tasks.domain.chat import ChatRequest, Completion, FaultCounts, Usage
from gem_tasks.errors import CONFIGURATION, Complaint, EndpointError, ErrorClass
from gem_tasks.llm.dialects.complaints import adapt, is_ours, parameter_of, still_thought
from gem_tasks.llm.dialects.dialect import Dialect, shape_of, wants_no_thoughts
from gem_tasks.llm.dialects.memory import Known, Memory

Ask = Callable[[ChatRequest, Dialect, FaultCounts], Awaitable[Completion]]
"""Sends a request in a dialect; counts the faults."""
Adapt = Callable[[Dialect, ChatRequest, Complaint], Dialect | None]

_ADAPTATIONS = 3
_SCOUT_S = 30.0
"""Complaints come at once: a slower request is being answered, and no longer blocks others."""
_SCOUTS = 5
_OF_THE_TEXT = frozenset({ErrorClass.BAD_REQUEST, ErrorClass.CONTEXT_LENGTH})
"""Possibly one text's fault: the next request of the shape goes alone too."""
_PATIENCE = 10
"""Requests for one call that may be refused while others are learning."""
_GUESSES = 6
"""Adaptations, per model, to complaints that name no field."""


class Learning:
    """Belongs to one client.

    Args:
        ask: sends a request.
        memory: memory of the endpoint.
        preset: returns the initial dialect of a model.
        bounded: cuts a limit to the model's window.
        adapt: returns what a complaint teaches; see `dialect.adapt`.
        hides: whether models may think unseen, so that a cut answer may need more room.
    """

    def __init__(
        self,
        ask: Ask,
        memory: Memory,
        preset: Callable[[str], Dialect],
        bounded: Callable[[ChatRequest, int], int] = lambda request, limit: limit,
        adapt: Adapt = adapt,
        *,
        hides: bool = True,
    ) -> None:
        self._ask, self._memory, self._preset, self._bounded, self._adapt = ask, memory, preset, bounded, adapt
        self._hides = hides
        self._known: dict[str, Known] = {}
        self._answered: set[tuple[str, str]] = set()
        """Models and shapes of requests that were answered."""
        self._free: set[tuple[str, str]] = set()
        """Models and shapes without need of a scout: answered before, or with nothing to learn now."""
        self._silent: set[tuple[str, str]] = set()
        """Models and shapes that wrote nothing with room for thought either: it costs thousands of tokens a time."""
        self._of: tuple[object, ...] = ()
        self._place = ("", "")
        self._lock = asyncio.Lock()
        self._tried: list[tuple[str, Dialect]] = []
        self._guesses: Counter[str] = Counter()
        self._scouts: Counter[str] = Counter()
        self._refused: dict[str, EndpointError] = {}
        """Why no request for a model can be answered: waiting requests need not be sent."""

    async def complete(self, request: ChatRequest) -> Completion:
        """Makes the call; see `ChatClient.complete`."""
        known = await self.known(request.model)
        place = self._place_of(request, known.dialect)
        if place in self._free:
            return await self._told(request, place)
        try:
            async with asyncio.timeout(_SCOUT_S):
                await self._lock.acquire()
        except TimeoutError:
            self._free.add(place)
            return await self._told(request, place)
        try:
            if refused := self._refused.get(request.model):
                raise _again(refused)
            if place not in self._free:
                return await self._scout(request, place)
        finally:
            self._lock.release()
        return await self._told(request, place)

    def limit_of(self, request: ChatRequest) -> int:
        """Tokens allowed for an answer, thoughts included, as currently known."""
        known = self._known.get(request.model)
        return known.dialect.limit_of(request) if known else request.sampling.max_tokens

    async def known(self, model: str) -> Known:
        """What is known about a model."""
        if model not in self._known:
            await self._recall(model)
        return self._known[model]

    def _place_of(self, request: ChatRequest, dialect: Dialect) -> tuple[str, str]:
        """Model and shape; computed once for requests that differ only in their text."""
        role = request.messages[0].role if request.messages else ""
        of = (request.model, request.sampling, request.answer_schema, request.toolbox is None, role, dialect)
        if of != self._of:
            self._of, self._place = of, (request.model, shape_of(request, dialect))
        return self._place

    def dialect_of(self, model: str) -> Dialect:
        """The model's dialect, as currently known."""
        known = self._known.get(model)
        return known.dialect if known else self._preset(model)

    async def _recall(self, model: str) -> None:
        known = await asyncio.to_thread(self._memory.recall, model, self._preset(model))
        if model not in self._known:
            self._known[model] = known
            self._answered |= {(model, shape) for shape in known.proved}
            self._free |= self._answered

    async def _scout(self, request: ChatRequest, place: tuple[str, str]) -> Completion:
        """Sends the first request of a shape, under the lock."""
        try:
            completion = await self._loop(request, place, self._known[request.model].dialect, {}, None)
        except EndpointError as error:
            self._scouts[request.model] += 1
            if error.error_class in CONFIGURATION or error.parameter:
                self._refused[request.model] = error
            if error.error_class not in _OF_THE_TEXT or self._scouts[request.model] >= _SCOUTS:
                self._free.add(place)  # nothing to learn from that, so the others need not wait
            raise
        self._free.add(place)
        return completion

    async def _told(self, request: ChatRequest, place: tuple[str, str]) -> Completion:
        """Sends in the known dialect; if that turns out to be wrong, one request at a time corrects it."""
        faults: FaultCounts = {}
        while True:
            dialect = self._known[request.model].dialect
            try:
                completion = await self._ask(request, dialect, faults)
                break
            except EndpointError as error:
                if not self._teaches(request, place, error):
                    raise
                async with self._lock:
                    if self._known[request.model].dialect == dialect:
                        return await self._loop(request, place, dialect, faults, error)
                if sum(faults.values()) > _PATIENCE:
                    raise
        known = self._proved(place) and dialect.thought(completion.usage.reasoning_tokens) is dialect
        if completion.finish_reason == "length" or not known:
            return await self._loop(request, place, dialect, faults, completion)
        return completion

    def _teaches(self, request: ChatRequest, place: tuple[str, str], error: EndpointError) -> bool:
        """Whether the error may teach something; a proved shape refused without a reason is an odd request."""
        named = parameter_of(error.complaint, request) or not self._proved(place)
        return error.error_class is ErrorClass.BAD_REQUEST and bool(named)

    async def _loop(
        self,
        request: ChatRequest,
        place: tuple[str, str],
        dialect: Dialect,
        faults: FaultCounts,
        came: EndpointError | Completion | None,
    ) -> Completion:
        """Asks until there is an answer, or nothing more to learn.

        Args:
            request: the request.
            place: its model and shape.
            dialect: the initial dialect.
            faults: faults so far.
            came: the result of a request that was already sent.

        Raises:
            EndpointError: no dialect worked.
        """
        before, adaptations, spent, narrow = dialect, 0, Usage(), None
        while True:
            if came is None:
                try:
                    came = await self._ask(request, dialect, faults)
                except EndpointError as error:
                    came = error
            if isinstance(came, EndpointError):
                if adaptations == _ADAPTATIONS:
                    raise came
                dialect, adaptations, came = self._adapted(request, place, dialect, came), adaptations + 1, None
                continue
            wider = self._wider(request, dialect) if narrow is None and self._ate(came, place, dialect) else None
            if wider is None:
                break
            faults[ErrorClass.TRUNCATED] = faults.get(ErrorClass.TRUNCATED, 0) + 1
            narrow, dialect, spent, came = dialect, wider, spent + came.usage, None
        if narrow and not came.usage.reasoning_tokens:
            dialect = narrow  # it was only a long answer
            if came.finish_reason == "length" and not f"{came.text}{came.thoughts}".strip():
                self._silent.add(place)
        if wants_no_thoughts(request) and (came.thoughts.strip() or came.usage.reasoning_tokens):
            dialect = still_thought(dialect)
        await self._learn(place, before, dialect, came)
        update = {"faults": faults, "usage": spent + came.usage} if faults else {}
        return came.model_copy(update=update)

    def _wider(self, request: ChatRequest, dialect: Dialect) -> Dialect | None:
        """The dialect with more room for thought; None if it cannot grow."""
        wider = dialect.roomier(request)
        if wider is None:
            return None
        now, then = (self._bounded(request, each.limit_of(request)) for each in (dialect, wider))
        return wider if then > now else None

    def _proved(self, place: tuple[str, str]) -> bool:
        return place in self._answered

    def _ate(self, completion: Completion, place: tuple[str, str], dialect: Dialect) -> bool:
        """Whether thinking may have used up the room of the answer: thoughts without tags look like an answer."""
        if completion.finish_reason != "length" or place in self._silent or not self._hides:
            return False
        return not completion.text.strip() or dialect.thinks or not self._proved(place)

    def _adapted(self, request: ChatRequest, place: tuple[str, str], dialect: Dialect, error: EndpointError) -> Dialect:
        """The dialect to try next.

        Raises:
            EndpointError: the same error, if there is none.
        """
        if error.error_class is not ErrorClass.BAD_REQUEST:
            raise error
        model, proved = request.model, self._proved(place)
        name = parameter_of(error.complaint, request)
        changed = self._adapt(dialect, request, error.complaint) if self._teaches(request, place, error) else None
        spent = (model, changed) in self._tried if name else self._guesses[model] >= _GUESSES
        if changed is None or spent:
            error.parameter = name if name and not proved and is_ours(name, request) else ""
            raise error
        self._guesses[model] += not name
        self._tried.append((model, changed))
        return changed

    async def _learn(self, place: tuple[str, str], before: Dialect, dialect: Dialect, answer: Completion) -> None:
        """Keeps what an answer proves; an empty answer proves nothing."""
        model, shape = place
        if not answer.text.strip() and not answer.tool_calls:
            return
        after = dialect.thought(answer.usage.reasoning_tokens)
        if after == before and self._proved(place):
            return
        self._known[model] = self._known[model].with_changes(before, after, shape, answer.model)
        self._answered.add(place)
        self._free.add(place)
        await asyncio.to_thread(self._memory.learned, model, before, after, shape, answer.model)


def _again(error: EndpointError) -> EndpointError:
    """The same error for a request that was not sent."""
    found = EndpointError(error.error_class, error.detail)
    found.faults, found.complaint, found.parameter = {}, error.complaint, error.parameter
    return found
