"""Parameters of a tool from the fields, options and limits that the text names."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from gem_tasks.teacher.analyse import Limit, Sentence, named
from gem_tasks.teacher.words import OPERATIONS

Schema = dict[str, Any]

MAX_FIELDS = 4
_DATE = re.compile(r"\b(date|deadline|day|until|due)\b")
_TIME = re.compile(r"\btime\b")
_COUNT = re.compile(
    r"\b(quantity|count|number of|copies|nights|guests|hours|minutes|days|weeks|months|people|floor|level)\b"
)
_AMOUNT = re.compile(r"\b(amount|price|cost|rate|discount|percentage|percent|weight|temperature|total|fee|limit)\b")
_FLAG = re.compile(r"^(enable|allow|include|show|use|is|has|blocked|active|enabled|send|print)\b")
_EMAIL = re.compile(r"\b(e-?mail)\b")
_ITEM = r"[\"'“*`]*[A-Za-z][\w -]{0,24}?[\"'”*`]*"
_OPTIONS = re.compile(
    r"(?:one of|either|options?(?: are)?:?|choose between|such as|types?:)\s*:?\s*"
    rf"((?:{_ITEM},\s*){{0,6}}{_ITEM},?\s+(?:or|and)\s+{_ITEM})(?=[.,;:)]|\s+(?:to|for|in|when|if)\b|$)",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"^\W*\s*(?:action|page|button|icon|menu|tab|fasttab|window|dialog|list|pane|link|screen|section)\b"
)
_NOT_A_FIELD = frozenset(
    "ok yes no cancel new next back done finish note tip important warning close save home".split()
)


def parameter_name(words: str) -> str:
    """snake_case, at most four words; empty if nothing is left."""
    found = re.findall(r"[a-z][a-z0-9]*", words.lower().replace("no.", "number"))
    found = [word for word in found if word not in ("the", "a", "an", "field", "of", "and", "to", "for")][:4]
    name = "_".join(found)
    return name if 3 <= len(name) <= 40 else ""


def field_schema(words: str) -> Schema:
    """Type and format that a field's words speak for."""
    spoken = words.lower()
    schema: Schema
    if _FLAG.search(spoken):
        schema = {"type": "boolean"}
    elif _EMAIL.search(spoken):
        schema = {"type": "string", "format": "email"}
    elif _DATE.search(spoken):
        schema = {"type": "string", "format": "date"}
    elif _COUNT.search(spoken):
        schema = {"type": "integer", "minimum": 1}
    elif _AMOUNT.search(spoken):
        schema = {"type": "number", "minimum": 0}
    elif _TIME.search(spoken):
        schema = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
    else:
        schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {**schema, "description": f"{words.strip().rstrip('.')[:80].capitalize()}."}


def fields(sentences: Iterable[Sentence]) -> dict[str, Schema]:
    """Parameters for what is entered or chosen in these sentences."""
    found: dict[str, Schema] = {}
    for sentence in sentences:
        options = enumeration(sentence.text)
        for name in named(sentence.raw):
            key = parameter_name(name)
            if not key or name in options or len(found) >= MAX_FIELDS or not _is_field(name, sentence.raw):
                continue
            found.setdefault(key, field_schema(name))
        if options and len(found) < MAX_FIELDS:
            key = parameter_name(_before(sentence.text)) or "option"
            found[key] = {"type": "string", "enum": options, "description": f"One of: {', '.join(options)}."}
    return found


def _is_field(name: str, raw: str) -> bool:
    """Not a button, a page or an instruction in quotation marks."""
    after = raw[raw.find(name) + len(name) :].lower()
    words = name.lower().split()
    return not (_PLACE.match(after) or words[0] in _NOT_A_FIELD or words[0] in OPERATIONS or len(words) > 4)


def enumeration(text: str) -> list[str]:
    """`one of A, B or C` as a list; empty if the sentence offers no choice."""
    match = _OPTIONS.search(text)
    if not match:
        return []
    parts = re.split(r",\s*(?:or\s+|and\s+)?|\s+(?:or|and)\s+", match[1])
    options = [part.strip(" \"'“”*`.") for part in parts]
    options = list(dict.fromkeys(option for option in options if 1 < len(option) <= 25 and len(option.split()) <= 3))
    return options if len(options) >= 2 else []


def _before(text: str) -> str:
    """The last word before the options: what they are options of."""
    match = re.search(r"([a-z]{3,20})\s*(?:is|are|must be|can be)?\s*(?::|one of|either|options)", text.lower())
    return match[1] if match else ""


def limited(limits: Sequence[Limit]) -> dict[str, Schema]:
    """Integer parameters for what the text counts and bounds: `at most 3 items` → `items`, maximum 3."""
    found: dict[str, Schema] = {}
    for limit in limits:
        key = parameter_name(f"number of {limit.noun}s") if limit.noun.isalpha() and len(limit.noun) > 2 else ""
        bounds = {"minimum": limit.minimum, "maximum": limit.maximum}
        kept = {name: int(bound) for name, bound in bounds.items() if bound is not None and bound == int(bound)}
        if not key or not kept or key in found:
            continue
        low, high = kept.get("minimum", 1), kept.get("maximum")
        if high is not None and high < max(low, 2):
            continue
        found[key] = {"type": "integer", "minimum": low, **kept, "description": limit.sentence[:160]}
    return found
