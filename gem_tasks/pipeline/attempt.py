"""One record through one stage: ask, read, let the model mend a malformed answer once, and say how it ended.

Owns retries of unusable answers (two strikes). Transport faults are the client's; what it could not mend becomes a
failed outcome here, except configuration faults, which would repeat for every record and stop the task instead.
"""

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion
from gem_tasks.domain.outcome import Accepted, Cost, Malformed, Outcome, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.errors import CONFIGURATION, EndpointError, ErrorClass
from gem_tasks.ports import ChatClient
from gem_tasks.stages.base import Stage, repair

_STRIKES = 2


async def attempt(stage: Stage, model: str, record: Record, client: ChatClient) -> Outcome:
    """Exactly one outcome for the record.

    Raises:
        EndpointError: wrong key or unknown model.
    """
    segment = record.segment.segment_id
    if verdict := stage.precheck(record):
        return Outcome(segment_id=segment, kind="rejected", reason=verdict.reason, detail=verdict.detail)
    messages = stage.request(record)
    cost = Cost()
    for strike in range(1, _STRIKES + 1):
        try:
            completion = await client.complete(ChatRequest(model=model, messages=messages, sampling=stage.sampling))
        except EndpointError as error:
            if error.error_class in CONFIGURATION:
                raise
            spent = cost.model_copy(update={"calls": cost.calls + error.calls})
            return Outcome(
                segment_id=segment, kind="failed", error_class=error.error_class, detail=error.detail, cost=spent
            )
        cost = _add(cost, completion)
        verdict = _read(stage, completion, record)
        if not isinstance(verdict, _Unusable):
            return _outcome(segment, verdict, cost)
        if strike == _STRIKES or not verdict.mendable:
            return Outcome(
                segment_id=segment,
                kind="failed",
                error_class=verdict.error_class,
                detail=verdict.complaint,
                raw=completion.text,
                cost=cost,
            )
        messages = _again(stage, record, completion, verdict)
    raise AssertionError("unreachable: the last strike returns")


class _Unusable(Malformed):
    """A completion that yields no verdict, with its class."""

    error_class: ErrorClass
    mendable: bool = True


def _read(stage: Stage, completion: Completion, record: Record) -> Accepted | Rejected | _Unusable:
    if completion.finish_reason == "content_filter":
        complaint = f"the model refused: {completion.text[:200]}"
        return _Unusable(complaint=complaint, error_class=ErrorClass.REFUSED, mendable=False)
    if not completion.text.strip():
        return _Unusable(complaint="The answer was empty.", error_class=ErrorClass.EMPTY)
    if completion.finish_reason == "length":
        complaint = "The answer was cut off at the length limit. Write a shorter one that is complete."
        return _Unusable(complaint=complaint, error_class=ErrorClass.TRUNCATED)
    # A lone surrogate cannot be stored in UTF-8; JSON escapes can smuggle one in.
    text = completion.text.encode("utf-8", "replace").decode()
    verdict = stage.parse(text, record)
    if isinstance(verdict, Malformed):
        return _Unusable(complaint=verdict.complaint, error_class=ErrorClass.MALFORMED)
    return verdict


def _again(stage: Stage, record: Record, completion: Completion, verdict: _Unusable) -> tuple[ChatMessage, ...]:
    return repair(stage.request(record), completion.text or "(empty)", verdict.complaint)


def _outcome(segment: str, verdict: Accepted | Rejected, cost: Cost) -> Outcome:
    if isinstance(verdict, Accepted):
        return Outcome(segment_id=segment, kind="accepted", payload=verdict.payload, cost=cost)
    return Outcome(segment_id=segment, kind="rejected", reason=verdict.reason, detail=verdict.detail, cost=cost)


def _add(cost: Cost, completion: Completion) -> Cost:
    return Cost(
        calls=cost.calls + completion.calls,
        usage=cost.usage + completion.usage,
        latency_s=cost.latency_s + completion.latency_s,
    )
