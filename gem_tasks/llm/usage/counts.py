"""Tokens of a call: the endpoint's counts if they can be true, otherwise GEM's own count.

Reported numbers decide what a run costs. The endpoint may leave them out (many local servers), send odd values
(strings, floats, null), or lie: counts that cannot be true are treated as missing.
"""

from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatRequest, Completion, Usage, UsageFault
from gem_tasks.llm.usage.tokens import estimate_tokens

_MAX_TOKENS = 100_000_000
"""No call has more; keeps every sum within what Postgres and Parquet can store."""
_DIGITS = 9
_CHARS_PER_TOKEN = 4
_NO_PROMPT = 16
"""A prompt reported as this many times smaller than it looks was not counted. Only blanks come near that."""
_LONG = 200
"""Tokens; counts of shorter prompts are not compared."""
_IMPOSSIBLE_IN_A_ROW = 3
_TOO_SMALL_IN_A_ROW = 20


def read_usage(found: Any, thoughts: str) -> tuple[Usage, UsageFault]:
    """The usage in a completion, and whether it cannot be true. Zeros if nothing usable is reported.

    Some leave the thoughts out of `completion_tokens` and include them in `total_tokens` only.
    """
    usage = fields_of(found)
    counts = [_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
    if None in counts:
        return Usage(), "impossible"
    asked, counted, total = cast("list[int]", counts)
    prompt, output = (fields_of(usage.get(f"{name}_tokens_details")) for name in ("prompt", "completion"))
    places = prompt.get("cached_tokens"), usage.get("cached_tokens"), usage.get("prompt_cache_hit_tokens")
    cached = next(filter(None, map(_count, places)), 0)
    answered = max(counted, total - asked)
    thought = _count(output.get("reasoning_tokens")) or answered - counted or len(thoughts) // _CHARS_PER_TOKEN
    return Usage(
        prompt_tokens=asked,
        cached_tokens=min(cached, asked),
        cache_write_tokens=min(_count(prompt.get("cache_write_tokens")) or 0, asked),
        completion_tokens=answered,
        reasoning_tokens=min(thought, answered),
    ), ""


def total(*counts: Any) -> Any:
    """The sum of counts that an API reports separately; if one is not a count, that one, for `read_usage` to judge."""
    numbers = [_count(count) for count in counts]
    wrong = [count for count, number in zip(counts, numbers, strict=True) if number is None]
    return wrong[0] if wrong else sum(cast("list[int]", numbers))


def fields_of(found: Any) -> Json:
    """An object of a reply; empty if the value is of another type."""
    return cast("Json", found) if isinstance(found, dict) else {}


def _count(value: Any) -> int | None:
    """A number of tokens; 0 if missing, None if it is not a count."""
    if value is None or value == "":
        return 0
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_TOKENS:
        return None
    return int(value)


def filled_in(completion: Completion, body: bytes) -> Completion:
    """The completion, with GEM's own count in place of missing ones.

    Args:
        completion: as read.
        body: body of its request.
    """
    usage = completion.usage
    if usage.prompt_tokens and (usage.completion_tokens or not completion.written):
        return completion
    ours = _counted(completion, body)
    thought = usage.reasoning_tokens or min(len(completion.thoughts) // _CHARS_PER_TOKEN, ours.completion_tokens)
    whole = Usage(
        prompt_tokens=usage.prompt_tokens or ours.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        completion_tokens=usage.completion_tokens or ours.completion_tokens,
        reasoning_tokens=usage.reasoning_tokens if usage.completion_tokens else thought,
    )
    return completion.model_copy(update={"usage": whole, "usage_fault": completion.usage_fault or "missing"})


def at_least(completion: Completion, body: bytes) -> Usage:
    """The tokens that a budget counts: the larger of reported and counted ones."""
    usage, ours = completion.usage, _counted(completion, body)
    return usage.model_copy(
        update={
            "prompt_tokens": max(usage.prompt_tokens, ours.prompt_tokens),
            "completion_tokens": max(usage.completion_tokens, ours.completion_tokens),
        }
    )


def _counted(completion: Completion, body: bytes) -> Usage:
    said = completion.written.encode("utf-8", "replace")
    return Usage(prompt_tokens=estimate_tokens(body), completion_tokens=estimate_tokens(said) if said else 0)


class Trust:
    """Whether an endpoint's usage can be trusted: one odd reply is an accident, many in a row are not."""

    def __init__(self) -> None:
        self._impossible = self._small = self._missing = self._good = 0

    def look(self, request: ChatRequest, completion: Completion) -> None:
        """Evaluates the next reply. Missing usage is not a lie: GEM counted it."""
        fault = completion.usage_fault
        self._impossible = self._impossible + 1 if fault == "impossible" else 0
        self._missing = self._missing + 1 if fault == "missing" else 0
        if fault:
            self._good = 0
            return
        expected = estimate_tokens(request.body)
        small = expected > _LONG and completion.usage.prompt_tokens * _NO_PROMPT < expected
        self._small = self._small + 1 if small else 0
        self._good = 0 if small else self._good + 1

    @property
    def fault(self) -> str:
        """Why it cannot be trusted; empty while it can. The same for all further replies, so that it is told once."""
        if self._impossible >= _IMPOSSIBLE_IN_A_ROW:
            return f"{_IMPOSSIBLE_IN_A_ROW} replies in a row report token counts that are negative, huge or not numbers"
        if self._small >= _TOO_SMALL_IN_A_ROW:
            return f"{_TOO_SMALL_IN_A_ROW} replies in a row report far fewer prompt tokens than were sent"
        return ""

    @property
    def verdict(self) -> str | None:
        """A message for people: what is wrong, "" if all is well, None while there are too few replies to tell."""
        if self.fault:
            return f"cannot be true: {self.fault}"
        if self._missing >= _IMPOSSIBLE_IN_A_ROW:
            return "not reported: GEM counts tokens itself"
        return "" if self._good >= _IMPOSSIBLE_IN_A_ROW else None
