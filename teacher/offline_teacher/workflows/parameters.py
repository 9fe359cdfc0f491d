"""Parameters of a tool from the fields, options and limits that the text names."""

import re
from collections.abc import Sequence
from typing import Any

from offline_teacher.reading.analyse import Limit
from offline_teacher.reading.words import plural, singular

Schema = dict[str, Any]

MAX_FIELDS = 6
_DATE = re.compile(r"\b(?:dates?|deadline|due|day of (?:arrival|departure)|birthday)\b")
_TIME = re.compile(r"\b(?:starting time|ending time|start time|end time|time of day|opening time|closing time)\b")
_COUNT = re.compile(
    r"\b(?:quantity|qty|count|number of|copies|nights|guests|hours|minutes|seconds|days|weeks|months|people|floor|"
    r"approvals|attempts|age|years?)\b"
)
_AMOUNT = re.compile(
    r"\b(?:amount|price|cost|discount|percentage|percent|%|weight|temperature|total|fee|budget|balance|duration|"
    r"height|width)\b"
)
_CODE = re.compile(r"\b(?:code|type|method|group|account|name|no|number|template|reason)\b")
_FLAG = re.compile(
    r"^(?:enable|allow|include|show|use|is|has|blocked|active|enabled|send|print|require|notify|hide|auto)\b"
)
_EMAIL = re.compile(r"\be-?mail(?: address)?$")
_SAYS_FLAG = re.compile(
    r"^(?:select|choose|turn on|enable|check|mark|tick|clear|specif(?:y|ies)|indicates?|determines?|defines?)\s+"
    r"(?:if|whether|to|this|the check ?box|it)\b",
    re.IGNORECASE,
)
_ITEM = r"[\"'“*`]*(?:by )?[A-Za-z0-9][\w/ &-]{0,24}?[\"'”*`]*"
_OPTIONS = re.compile(
    r"(?:(?::\s*+)?\bone of(?: the following)?|\beither|\boptions?(?: are)?|\bchoose between|\bcan be|\bmust be|:)"
    r"\s*+(?::\s*+)?"
    rf"((?:{_ITEM},\s*){{0,7}}{_ITEM},?\s+or\s+{_ITEM})(?=[.,;:)]|\s+(?:to|for|in|when|if|depending)\b|$)",
    re.IGNORECASE,
)
_SPLIT = re.compile(r",\s*+(?:or\s++)?|(?<!\s)\s++or\s++")
_MOST_OPTION_WORDS = 4


def parameter_name(words: str) -> str:
    """snake_case, at most four words; empty if nothing is left."""
    text = words.lower().replace("e-mail", "email").replace("%", " percent ")
    text = re.sub(r"\bnos?\.?(?=\W|$)", "number", text)
    found = [word.replace("'s", "").replace("'", "") for word in re.findall(r"[a-z][a-z0-9']*", text)]
    found = [word for word in found if word not in _SMALL][:5]
    while found and found[0] in _JOINING:
        found.pop(0)
    while found and found[-1] in _JOINING:
        found.pop()
    name = "_".join(found)
    return name if 3 <= len(name) <= 40 else ""


_SMALL = frozenset(
    """the a an field fields new your their its his her this that s box checkbox following correct appropriate relevant
    desired required old if you want need actual or""".split()
)
_JOINING = frozenset("of and to for in on at by with from per as".split())


def field_schema(words: str, explained: str = "", flag: bool = False) -> Schema:
    """Type and format that a field's words speak for.

    Args:
        words: the field's name.
        explained: what the text says about it.
        flag: it is a check box or a toggle.
    """
    spoken = words.lower()
    schema: Schema = {"type": "string"}
    if flag or _FLAG.search(spoken) or _SAYS_FLAG.search(explained):
        schema = {"type": "boolean"}
    elif _EMAIL.search(spoken):
        schema = {"type": "string", "format": "email"}
    elif _DATE.search(spoken) and not _CODE.search(spoken):
        schema = {"type": "string", "format": "date"}
    elif _COUNT.search(spoken) and not _CODE.search(spoken.replace("number of", "")):
        schema = {"type": "integer", "minimum": 0 if "floor" in spoken else 1}
    elif _AMOUNT.search(spoken) and not _CODE.search(spoken):
        schema = {"type": "number"}
    elif _TIME.search(spoken):
        schema = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
    return {**schema, "description": _described(words, explained)}


def _described(words: str, explained: str) -> str:
    label = words.strip().rstrip(".:")[:80]
    label = label[:1].upper() + label[1:]
    about = " ".join(explained.split())[:160].rstrip(" .,;:")
    return f"{label}: {about}." if len(about) > 8 else f"{label}."


def options_schema(words: str, options: Sequence[str]) -> Schema:
    """One of the options that the text gives."""
    label = words.strip()[:80]
    return {"type": "string", "enum": list(options), "description": f"{label[:1].upper()}{label[1:]}."}


def enumeration(text: str) -> list[str]:
    """`one of A, B or C` as a list; empty if the sentence offers no choice."""
    for match in _OPTIONS.finditer(text):
        parts = [part.strip(" \"'“”*`.").removeprefix("by ").removeprefix("a ") for part in _SPLIT.split(match[1])]
        options = list(dict.fromkeys(parts))
        if len(options) >= 2 and all(_is_option(option) for option in options):
            return options
    return []


def _is_option(option: str) -> bool:
    words = option.split()
    odd = not words or words[0].lower() in _NO_OPTION or words[0].lower().endswith(("ly", "ing"))
    return not odd and len(words) <= _MOST_OPTION_WORDS and len(option) <= 30


_NO_OPTION = frozenset(
    "the more less another any some all each you it they if when not then both no other either changed".split()
)


def bind(name: str, schema: Schema, limits: Sequence[Limit]) -> Schema:
    """The schema with the bounds that the text gives for this parameter."""
    if schema.get("type") not in ("string", "integer", "number") or {"enum", "format", "pattern"} & set(schema):
        return schema
    words = [singular(word) for word in name.split("_")]
    for limit in limits:
        if limit.noun in words or (words[-1] == _subject(limit.sentence) and words[-1] not in _WEAK):
            return _bounded(schema, limit)
    return schema


def counted(action: str, entity: str, known: Schema, limits: Sequence[Limit]) -> Schema:
    """A parameter for what the text bounds about the operation itself: `A loan is renewed for at most 3 weeks`.

    Args:
        action: the operation: `renew`.
        entity: what it works on: `loan`.
        known: parameters that it has; what they bound already is left alone.
        limits: of the whole text.
    """
    bounded = {str(bound) for schema in known.values() for bound in (schema.get("minimum"), schema.get("maximum"))}
    for limit in limits:
        words = {singular(word).rstrip("e") for word in re.findall(r"[a-z]+", limit.sentence.lower())}
        done = any(word.removesuffix("ed").removesuffix("ing") == action.rstrip("e") for word in words)
        counts = limit.noun.isalpha() and len(limit.noun) > 2 and not _DEADLINE.search(limit.sentence)
        name = f"number_of_{plural(limit.noun)}"
        if done and counts and entity.rsplit("_", 1)[-1].rstrip("e") in words and name not in known:
            schema = _bounded({"type": "integer", "description": f"Number of {plural(limit.noun)}."}, limit)
            if not {str(schema.get("minimum")), str(schema.get("maximum"))} & (bounded - {"None", "1"}):
                return {name: schema}
    return {}


_DEADLINE = re.compile(
    r"\d\s+\w+\s+(?:before|after|of|from|since|in advance|prior|later|earlier)\b|\bwithin\b", re.IGNORECASE
)
_WEAK = frozenset("number code name type id reason date status description option method".split())


def _subject(sentence: str) -> str:
    """The last word before the verb of a sentence that states a limit: `The duration must not …` → `duration`."""
    subject = re.split(r"\b(?:must|cannot|may|should|is|are|has|can|to)\b", sentence[:100].lower(), maxsplit=1)[0]
    found = re.findall(r"[a-z]+", subject)
    return singular(found[-1]) if found else ""


def _bounded(schema: Schema, limit: Limit) -> Schema:
    bounds = {"minimum": limit.minimum, "maximum": limit.maximum}
    kept = {key: int(bound) if bound == int(bound) else bound for key, bound in bounds.items() if bound is not None}
    if kept.get("minimum", 0) > kept.get("maximum", float("inf")):
        return schema
    kind = (
        "integer" if all(isinstance(bound, int) for bound in kept.values()) and schema["type"] != "number" else "number"
    )
    low = schema.get("minimum", 1 if kind == "integer" and kept.get("maximum", 0) >= 1 else None)
    kept = {"minimum": low, **kept} if low is not None and low <= kept.get("maximum", low) else kept
    return {"type": kind, **kept, "description": _described(schema["description"].rstrip("."), limit.sentence)}
