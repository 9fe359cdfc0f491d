"""Maps a synthesized tool to a real operation by a transparent score, without a model.

    score = action · (0.6 · names + 0.15 · descriptions + 0.25 · parameters)

names: how much of the tool's nouns the operation's id and path have (half as much if only its description has them),
and how much of the operation's nouns the tool's name and parameters have, as F1; a noun counts the more the fewer
operations have it, and most if none has it. A tool of which less than `_COVERED` is found is not mapped, even if all
else agrees. action: 1 for the same kind of action, less for another. descriptions: Dice of the nouns. parameters: Dice
of those that pair up by name; left out if there is nothing to pair.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, pairwise
from types import MappingProxyType
from typing import NamedTuple

from pydantic import Field

from gem_tasks.domain.base import Value
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.errors import UserError
from gem_tasks.live_apis.operation import Operation, properties_of
from gem_tasks.live_apis.words import READS, nouns, nouns_named, verb_of, without_prefix, words

THRESHOLD = 0.6
_NAME, _DESCRIPTION, _PARAMETERS = 0.6, 0.15, 0.25
_COVERED = 0.6
_SAID_ONLY = 0.5
"""Weight of a noun that only the operation's description has."""
_SAME, _ALIKE, _UNKNOWN, _OTHER = 1.0, 0.9, 0.8, 0.4
_PAIR = 0.5
"""Words that two parameters' names must have in common."""
_VERSION = re.compile(r"v\d{1,4}")
_MOST_PARAMETERS = 200
"""Most parameters of a tool and of an operation that are paired."""


class Match(Value):
    """A synthesized tool and the operation it most resembles, with the parts of the score."""

    tool: str
    operation: str | None
    """The best operation; None if no score reaches the threshold."""
    score: float = 0
    action: float = 0
    name: float = 0
    description: float = 0
    parameters: float | None = None
    """None: there is nothing to pair."""
    arguments: dict[str, str] = Field(default_factory=dict)
    """Parameter of the operation by parameter of the tool."""
    runner_up: str | None = None
    by_hand: bool = False


class _Features(NamedTuple):
    """An operation as the matcher reads it."""

    operation: Operation
    verbs: frozenset[str]
    nouns: frozenset[str]
    own: tuple[frozenset[str], ...]
    """Nouns of the id, and of the path."""
    said: frozenset[str]


class Matcher:
    """Finds operations of one API."""

    def __init__(
        self,
        operations: Sequence[Operation],
        threshold: float = THRESHOLD,
        fixed: Mapping[str, str | None] = MappingProxyType({}),
        title: str = "",
    ) -> None:
        """Reads the operations.

        Args:
            operations: those to choose from.
            threshold: minimum score.
            fixed: operations by tools that were mapped by hand; None for a tool that has none.
            title: of the API; names that begin with it (`asana_get_task`) say nothing more by that.

        Raises:
            UserError: there is no operation of a fixed name.
        """
        self._threshold, self._fixed = threshold, fixed
        if unknown := set(fixed.values()) - {each.name for each in operations} - {None}:
            raise UserError(
                f"The API has no operation {min(map(str, unknown))!r}", "Use the names that `--json` prints."
            )
        self._prefix = frozenset(words(title))
        self._features = [_features(each, self._prefix) for each in operations]
        self._everywhere = _everywhere(operations)
        counts = Counter(word for each in self._features for word in each.nouns | each.said)
        self._weights = {word: math.log(1 + len(operations) / count) for word, count in counts.items()}
        self._unknown = math.log(1 + 2 * max(1, len(operations)))

    def match(self, tool: ToolSpec) -> Match:
        """The operation with the best score; of several, the first by name. For a fixed tool, the fixed one."""
        asked = _Asked(tool, self._prefix)
        if tool.name in self._fixed:
            return self._by_hand(asked, self._fixed[tool.name])
        ranked = sorted(
            (found for each in self._features if (found := self._score(asked, each))),
            key=lambda found: (-found.score, found.operation or ""),
        )
        if not ranked:
            return Match(tool=tool.name, operation=None)
        best, second = ranked[0], ranked[1].operation if len(ranked) > 1 else None
        taken = best.operation if best.score >= self._threshold else None
        return best.model_copy(update={"operation": taken, "runner_up": second if taken else best.operation})

    def _by_hand(self, asked: "_Asked", name: str | None) -> Match:
        found = next((each.operation for each in self._features if each.operation.name == name), None)
        pairs = _pairs(asked.parameters, found.properties) if found else {}
        return Match(tool=asked.tool.name, operation=name, score=1, by_hand=True, arguments=pairs)

    def _score(self, asked: "_Asked", features: _Features) -> Match | None:
        """None if too little of the tool's name is found."""
        joined = asked.joined.keys() & features.nouns
        known = features.nouns.union(*(asked.joined[word] for word in joined))
        covered = self._covered(asked.nouns, known, features.said)
        if covered < _COVERED:
            return None
        theirs = max((self._share(own, asked.context | joined) for own in features.own if own), default=0.0)
        name = 2 * covered * theirs / (covered + theirs) if covered + theirs else 0.0
        description = dice(asked.said, features.said | features.nouns)
        pairs = _pairs(asked.parameters, features.operation.properties)
        parameters = _paired(len(pairs), len(asked.parameters), features.operation, self._everywhere)
        parts = [(name, _NAME), (description, _DESCRIPTION)]
        parts += [(parameters, _PARAMETERS)] if parameters is not None else []
        action = _action(asked, features)
        score = action * sum(value * weight for value, weight in parts) / sum(weight for _, weight in parts)
        return Match(
            tool=asked.tool.name,
            operation=features.operation.name,
            score=round(score, 4),
            action=action,
            name=round(name, 4),
            description=round(description, 4),
            parameters=None if parameters is None else round(parameters, 4),
            arguments=pairs,
        )

    def _covered(self, wanted: frozenset[str], known: frozenset[str], said: frozenset[str]) -> float:
        total = sum(map(self._weight, wanted))
        found = sum(map(self._weight, wanted & known)) + _SAID_ONLY * sum(map(self._weight, (wanted & said) - known))
        return found / total if total else 0.0

    def _share(self, wanted: frozenset[str], known: frozenset[str]) -> float:
        return sum(map(self._weight, wanted & known)) / sum(map(self._weight, wanted))

    def _weight(self, word: str) -> float:
        return self._weights.get(word, self._unknown)


class _Asked:
    """A tool as the matcher reads it."""

    def __init__(self, tool: ToolSpec, prefix: frozenset[str]) -> None:
        self.tool = tool
        name = without_prefix(tool.name, prefix)
        self.verb, self.known = verb_of(name)
        found = nouns_named(name)
        self.nouns = found - {self.verb} if found - {self.verb} else found
        self.said = nouns(tool.description) | self.nouns
        self.parameters = list(properties_of(tool.parameters))
        given = (nouns_named(each) for each in islice(self.parameters, _MOST_PARAMETERS))
        self.context = self.nouns.union({self.verb}, *given)
        in_order = words(name)
        self.joined = {one + other: frozenset((one, other)) for one, other in pairwise(in_order)}
        """`invoiceitem`, as some paths write it."""


def match(tool: ToolSpec, operations: Sequence[Operation], threshold: float = THRESHOLD) -> Match:
    """The operation with the best score; for several tools of one API, use one `Matcher`."""
    return Matcher(operations, threshold).match(tool)


def _everywhere(operations: Sequence[Operation]) -> frozenset[str]:
    """Parameters that most operations require, such as the user or a key: a tool's author knows them already."""
    counts = Counter(name for each in operations for name in each.required)
    return frozenset(name for name, count in counts.items() if count > len(operations) / 2 > 1)


def _features(operation: Operation, prefix: frozenset[str]) -> _Features:
    fixed = [part for part in operation.path.split("/") if part and "{" not in part and not _VERSION.fullmatch(part)]
    named = operation.name != f"{operation.method} {operation.path}"
    of_id = nouns_named(without_prefix(operation.name, prefix)) if named else frozenset[str]()
    of_path = nouns_named(without_prefix(" ".join(fixed), prefix))
    return _Features(
        operation=operation,
        verbs=_verbs(operation),
        nouns=of_id | of_path,
        own=(of_id, of_path) if operation.path else (of_id,),
        said=nouns(operation.description[:300]),
    )


def _verbs(operation: Operation) -> frozenset[str]:
    """The actions that the operation's method and path, and its id, speak of."""
    if not operation.path:
        return frozenset(words(operation.name)[:1])
    last = operation.path.rstrip("/").rpartition("/")[2]
    one = "{" in last
    by_method = {
        "GET": "get" if one else "list", "HEAD": "get", "DELETE": "delete", "PUT": "update", "PATCH": "update",
        "POST": "update" if one else "create",
    }[operation.method]  # fmt: skip
    of_id = words(re.split(r"[./]", operation.name)[-1])[:1]
    # `PostCustomersCustomer` only repeats the method.
    repeats = operation.name.lower().startswith(operation.method.lower())
    if operation.method == "POST" and not repeats and verb_of(" ".join(of_id))[1]:
        by_method = of_id[0]  # `removeTag` creates nothing
    of_path = () if one or last.endswith("s") else words(last)[:1]  # `/lists` are things, `/search` is an action
    return frozenset((by_method, *(() if repeats else of_id), *of_path))


def _action(asked: _Asked, features: _Features) -> float:
    """How well the kinds of action agree; what reads never stands for what writes."""
    verb, writes = asked.verb, features.operation.writes
    if asked.known and (verb in READS) == writes and not _asks_by_post(features):
        return _OTHER
    if verb in features.verbs or (not asked.known and verb in features.nouns):
        return _SAME
    if not asked.known:
        return _UNKNOWN
    return _ALIKE if verb in READS else _OTHER


def _asks_by_post(features: _Features) -> bool:
    """Searches with a body, and tools of MCP servers that do not say whether they write."""
    return features.operation.method in ("POST", "") and bool(features.verbs & READS)


def _paired(pairs: int, ours: int, operation: Operation, everywhere: frozenset[str]) -> float | None:
    # Unused optional parameters do not make an operation different.
    needed = sum(name not in everywhere for name in operation.required)
    theirs = max(needed, min(len(operation.properties), pairs))
    return min(1.0, 2 * pairs / (ours + theirs)) if ours + theirs else None


def _pairs(ours: Iterable[str], theirs: Iterable[str]) -> dict[str, str]:
    """Parameters that belong together: equal names first, then the most alike; each at most once."""
    named = {other: _parameter_words(other) for other in islice(theirs, _MOST_PARAMETERS)}
    scored = [
        (score, one, other)
        for one in islice(ours, _MOST_PARAMETERS)
        for known in (_parameter_words(one),)
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


def _parameter_words(name: str) -> frozenset[str]:
    """`customer_id` is the same as `customer`; `id` alone stays."""
    found = frozenset(words(name))
    return found - {"id"} or found


def dice(one: frozenset[str], other: frozenset[str]) -> float:
    """2·|A∩B| / (|A|+|B|); 0 when either is empty."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
