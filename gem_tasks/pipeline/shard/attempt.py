"""Takes one record through one stage: the request, the reading of the answer, the repair, the outcome. No I/O.

Owns retries of unusable answers: two requests, the second with the parser's complaint and the answer; only
the end of the answer if the whole does not fit the window. `llm.client` owns transport faults and rate limits; what it
could not fix becomes a failed outcome here, except configuration faults, which would repeat for every record and stop
the task instead. Airflow retries lost workers.

    attempt = Attempt(stage, asking, record)
    while attempt.request:
        attempt.answered(await client.complete(attempt.request))
    attempt.outcome
"""

import asyncio

from gem_tasks.corpus.text.harmless import harmless_json
from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion
from gem_tasks.domain.outcome import Accepted, Cost, Malformed, Outcome, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.errors import CONFIGURATION, EndpointError, ErrorClass
from gem_tasks.pipeline.recipes import Asking
from gem_tasks.ports import ChatClient
from gem_tasks.stages.base import Stage, repair

_MOST_REQUESTS = 2
_QUOTED = 2000
"""Characters of an unusable answer to quote if the whole answer would not fit."""
_LONGEST_THOUGHTS = 1 << 18
"""Characters of reasoning to keep: a model that loops while it thinks must not fill the store."""


class Attempt:
    """The state of one record: either `request` or `outcome` is set."""

    def __init__(self, stage: Stage, asking: Asking, record: Record) -> None:
        self.request: ChatRequest | None = None
        """The next request."""
        self.outcome: Outcome | None = None
        """The final outcome."""
        self.number = 1
        """Number of `request`: 1 for the first request, 2 for its repair."""
        self.segment_id = record.segment.segment_id
        self._stage, self._asking, self._record = stage, asking, record
        self._cost = Cost()
        self._first: tuple[_Unusable, str] | None = None
        """The fault of the first answer, and the answer."""
        self._shortened = False
        if verdict := stage.precheck(record):
            self._end(verdict)
        else:
            self._ask(stage.request(record, asking.prompt))

    def answered(self, completion: Completion) -> None:
        """Reads the answer to `request`; no model output makes it raise."""
        self._cost = self._cost.plus(completion)
        verdict = _read(self._stage, completion, self._record)
        if not isinstance(verdict, _Unusable):
            self._end(verdict, completion.thoughts)
            return
        self._cost = self._cost.wasted({verdict.error_class: 1}, calls=0)
        if refused := self._stage.refusal(verdict.error_class, verdict.complaint, self._record):
            self._end(refused, raw=completion.text)
        elif self.number == _MOST_REQUESTS or not verdict.repairable:
            self._fail(verdict.error_class, verdict.complaint, raw=completion.text)
        else:
            self.number += 1
            self._first = verdict, completion.text
            self._repair(completion.text or "(empty)", verdict.complaint)

    def failed(self, error: EndpointError) -> None:
        """Notes that the endpoint did not answer `request`.

        Raises:
            EndpointError: the same error, if the configuration is at fault.
        """
        if error.error_class in CONFIGURATION or error.parameter:
            raise error
        self._cost = self._cost.wasted(error.faults, error.calls)
        if error.error_class is ErrorClass.CONTEXT_LENGTH and (
            refused := self._stage.refusal(error.error_class, error.detail, self._record)
        ):
            self._end(refused)
        elif error.error_class is not ErrorClass.CONTEXT_LENGTH or self._first is None:
            self._fail(error.error_class, error.detail)
        else:
            self._shorten(error, *self._first)

    def _shorten(self, error: EndpointError, unusable: "_Unusable", answer: str) -> None:
        if len(answer) > _QUOTED and not self._shortened:
            self._shortened = True
            self._repair(f"[…]{answer[-_QUOTED:]}", unusable.complaint)
        else:
            detail = f"{unusable.complaint} The repair prompt does not fit: {error.detail}"
            self._fail(unusable.error_class, detail, raw=answer)

    def _repair(self, answer: str, complaint: str) -> None:
        asked = self._stage.request(self._record, self._asking.prompt)
        self._ask(repair(self._asking.repair, asked, answer, complaint))

    def _ask(self, messages: tuple[ChatMessage, ...]) -> None:
        self.request = ChatRequest(
            model=self._asking.model,
            messages=messages,
            sampling=self._asking.sampling,
            answer_schema=self._stage.answer_schema,
        )

    def _end(self, verdict: Accepted | Rejected, thoughts: str = "", raw: str | None = None) -> None:
        self.request = None
        if isinstance(verdict, Accepted):
            self.outcome = Outcome(
                segment_id=self.segment_id,
                kind="accepted",
                payload=verdict.payload,
                measures=verdict.measures,
                thoughts=thoughts[:_LONGEST_THOUGHTS] or None,
                cost=self._cost,
            )
        else:
            self.outcome = Outcome(
                segment_id=self.segment_id,
                kind="rejected",
                reason=verdict.reason,
                detail=verdict.detail,
                payload=verdict.payload,
                measures=verdict.measures,
                raw=raw,
                cost=self._cost,
            )

    def _fail(self, error_class: ErrorClass, detail: str, raw: str | None = None) -> None:
        self.request = None
        self.outcome = Outcome(
            segment_id=self.segment_id, kind="failed", error_class=error_class, detail=detail, raw=raw, cost=self._cost
        )


async def attempt(stage: Stage, asking: Asking, record: Record, client: ChatClient) -> Outcome:
    """Asks until the record has its outcome.

    Raises:
        EndpointError: wrong key or unknown model.
    """
    state = Attempt(stage, asking, record)
    while state.request:
        try:
            completion = await client.complete(state.request)
            await asyncio.to_thread(state.answered, completion) if stage.slow else state.answered(completion)
        except EndpointError as error:
            state.failed(error)
    assert state.outcome, "neither a request nor an outcome"  # noqa: S101 - an invariant of Attempt
    return state.outcome


class _Unusable(Malformed):
    """A completion without a verdict, with its error class."""

    error_class: ErrorClass
    repairable: bool = True


def _read(stage: Stage, completion: Completion, record: Record) -> Accepted | Rejected | _Unusable:
    if completion.finish_reason == "content_filter":
        complaint = f"the model refused: {completion.text[:200]}"
        return _Unusable(complaint=complaint, error_class=ErrorClass.REFUSED, repairable=False)
    if not completion.text.strip() and completion.finish_reason == "length":
        asked_again = ErrorClass.TRUNCATED in completion.faults  # `llm.learning` retried with more room
        return _Unusable(complaint=_ate(completion), error_class=ErrorClass.TRUNCATED, repairable=not asked_again)
    if not completion.text.strip():
        return _Unusable(complaint="The answer was empty.", error_class=ErrorClass.EMPTY)
    if completion.finish_reason == "length":
        complaint = "The answer was cut off at the length limit. Write a shorter one that is complete."
        return _Unusable(complaint=complaint, error_class=ErrorClass.TRUNCATED)
    # UTF-8 cannot store a lone surrogate; JSON escapes can smuggle one in.
    text = completion.text.encode("utf-8", "replace").decode()
    verdict = stage.parse(text, record)
    if isinstance(verdict, Malformed):
        return _Unusable(complaint=verdict.complaint, error_class=ErrorClass.MALFORMED)
    if verdict.payload and (plain := harmless_json(verdict.payload)) != verdict.payload:
        return verdict.model_copy(update={"payload": plain})
    return verdict


def _ate(completion: Completion) -> str:
    tokens = completion.usage.reasoning_tokens or completion.usage.completion_tokens
    return (
        f"Thinking ate the limit: {tokens} tokens of thought and no answer."
        " Set GEM_LLM_REASONING_EFFORT to `low` or `off`, or raise GEM_LLM_MAX_TOKENS."
    )
