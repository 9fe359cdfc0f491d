"""Maps a synthesized tool to a real operation by a transparent score, without a model.

    score = 0.5 · names + 0.2 · descriptions + 0.3 · parameters

each the Dice coefficient of words: of names after the usual verbs are made one (`fetch`, `retrieve`, `show` → `get`),
of descriptions without stop words; for parameters the share of the tool's and the operation's that pair up by name. A
tool whose best score is below `THRESHOLD` is not mapped.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.live_apis.operation import Operation

THRESHOLD = 0.4
"""An equal name with some parameters reaches it; two unrelated tools with one common word do not."""
_NAME, _DESCRIPTION, _PARAMETERS = 0.5, 0.2, 0.3
_PAIR = 0.5
"""Words that two parameters' names must have in common."""
_VERBS = {
    word: verbs[0]
    for verbs in (
        ("get", "fetch", "retrieve", "read", "show", "view", "lookup", "check", "describe", "display"),
        ("list", "search", "find", "query", "browse", "filter"),
        ("create", "add", "new", "make", "book", "place", "submit", "register", "open", "insert", "post", "start"),
        ("update", "modify", "edit", "change", "set", "patch", "put", "adjust", "amend"),
        ("delete", "remove", "cancel", "revoke", "drop", "close"),
        ("send", "notify", "email", "message"),
    )
    for word in verbs
}
_STOP = frozenset("a an the of for to by in on with and or from as is are be its this that it all one api".split())
_MOST_PARAMETERS = 200
"""Most parameters of a tool and of an operation that are paired."""
_LONGEST = 20_000
"""Maximum characters of a description to read."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Match(Value):
    """A synthesized tool and the operation it most resembles, with the parts of the score."""

    tool: str
    operation: str | None
    """The best operation; None if no score reaches `THRESHOLD`."""
    score: float
    name: float
    description: float
    parameters: float
    arguments: dict[str, str] = Field(default_factory=dict)
    """Parameter of the operation by parameter of the tool."""
    runner_up: str | None = None


def words(text: str) -> frozenset[str]:
    """Lower-case words of an identifier or a sentence, singular, with common verbs made one."""
    found = (_singular(word.lower()) for word in _WORD.findall(text[:_LONGEST]))
    return frozenset(_VERBS.get(word, word) for word in found if word not in _STOP)


def match(tool: ToolSpec, operations: Sequence[Operation], threshold: float = THRESHOLD) -> Match:
    """The operation with the best score; of several, the first by name."""
    ranked = sorted(
        (_score(tool, each) for each in operations), key=lambda found: (-found.score, found.operation or "")
    )
    if not ranked:
        return Match(tool=tool.name, operation=None, score=0, name=0, description=0, parameters=0)
    best = ranked[0]
    second = ranked[1].operation if len(ranked) > 1 else None
    taken = best.operation if best.score >= threshold else None
    return best.model_copy(update={"operation": taken, "runner_up": second if taken else best.operation})


def _score(tool: ToolSpec, operation: Operation) -> Match:
    pairs = _pairs(tool.parameters.get("properties") or {}, operation.properties)
    ours, theirs = len(tool.parameters.get("properties") or {}), len(operation.properties)
    # Unused optional parameters do not make an operation different.
    theirs = max(len(operation.required), min(theirs, len(pairs)))
    parameters = 2 * len(pairs) / (ours + theirs) if ours + theirs else 1.0
    name = max(dice(words(tool.name), words(operation.name)), dice(words(tool.name), _path_words(operation)))
    description = dice(words(tool.description), words(operation.description))
    total = _NAME * name + _DESCRIPTION * description + _PARAMETERS * min(parameters, 1.0)
    return Match(
        tool=tool.name,
        operation=operation.name,
        score=round(total, 4),
        name=round(name, 4),
        description=round(description, 4),
        parameters=round(min(parameters, 1.0), 4),
        arguments=pairs,
    )


def _path_words(operation: Operation) -> frozenset[str]:
    """`GET /orders/{id}` says `get order` even if the operation's id is `op17`."""
    if not operation.path:
        return frozenset()
    fixed = [part for part in operation.path.split("/") if part and "{" not in part]
    return words(" ".join((operation.method.lower(), *fixed)))


def _pairs(ours: Iterable[str], theirs: Iterable[str]) -> dict[str, str]:
    """Parameters that belong together: equal names first, then the most alike; each at most once."""
    named = {other: words(other) for other in islice(theirs, _MOST_PARAMETERS)}
    scored = [
        (score, one, other)
        for one in islice(ours, _MOST_PARAMETERS)
        for known in (words(one),)
        for other, theirs_known in named.items()
        if (score := dice(known, theirs_known)) >= _PAIR
    ]
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    for _, one, other in sorted(scored, key=lambda row: (-row[0], row[1] != row[2], row[1], row[2])):
        if one not in pairs and other not in taken:
            pairs[one] = other
            taken.add(other)
    return pairs


def dice(one: frozenset[str], other: frozenset[str]) -> float:
    """2·|A∩B| / (|A|+|B|); 0 when either is empty."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
