"""Answers as models get them wrong: cut, malformed, empty, refused, in the wrong language, with made-up arguments."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

_REFUSAL = "I'm sorry, but I can't help with that."
_WRONG_LANGUAGE = "申し訳ありませんが、この文章には複数の手順が含まれていないようです。"
_ARGUMENT = re.compile(r'("arguments"\s*:\s*\{[^{}]*?"[^"]+"\s*:\s*)("[^"]*"|-?\d+(?:\.\d+)?)')


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes into the completion's choice."""

    text: str | None
    finish_reason: str = "stop"
    refusal: str | None = None


def spoil(answer: Answer, limit: int, hits: Callable[[str], bool], chance: random.Random) -> Answer:
    """The answer after the faults that `hits` says are due; longer than `limit` characters is cut."""
    text = answer.text or ""
    if hits("rate_refused"):
        return Answer(None, refusal=_REFUSAL)
    if hits("rate_empty"):
        return Answer("")
    if hits("rate_language"):
        text = _WRONG_LANGUAGE
    if hits("rate_hallucinated"):
        text = _with_made_up_argument(text, chance)
    if hits("rate_malformed"):
        text = text.replace(">", "]", 3)
    if hits("rate_truncated"):
        limit = min(limit, len(text) // 2)
    return Answer(text) if len(text) <= limit else Answer(text[:limit], "length")


def _with_made_up_argument(text: str, chance: random.Random) -> str:
    """One argument of one call becomes a value of its kind that nobody has said; an answer without calls stays."""
    found = list(_ARGUMENT.finditer(text))
    if not found:
        return text
    match = chance.choice(found)
    number = chance.randrange(10**6, 10**7)
    value = f'"QZ-{number}"' if match[2].startswith('"') else str(number)
    return text[: match.start(2)] + value + text[match.end(2) :]
