"""The fields that an instruction fills: named outright, in front of it, or offered as a choice."""

import re

from offline_teacher.reading.analyse import plain
from offline_teacher.reading.clauses import BUTTON_WORDS, FIELD_WORDS, PLACE_WORDS, Clause, marked
from offline_teacher.reading.naming import noun_phrase
from offline_teacher.reading.words import OPERATIONS
from offline_teacher.workflows.parameters import Schema, enumeration, field_schema, options_schema, parameter_name

ENTERING = frozenset("enter type fill specify provide describe input state indicate paste".split())
CHOOSING = frozenset(
    "select choose click tap press hit pick open access toggle double-click right-click launch show".split()
)
SETTING = frozenset("set change update edit modify adjust correct configure assign".split())
ASKING = frozenset("ask tell offer explain say".split())

IS_FIELD = re.compile(rf"^\W{{0,4}}(?:{FIELD_WORDS})\b", re.IGNORECASE)
IS_PLACE = re.compile(rf"^\W{{0,4}}(?:{PLACE_WORDS})\b", re.IGNORECASE)
_IS_FLAG = re.compile(r"^\W{0,4}(?:check ?box(?:es)?|toggle|switch|slider)\b", re.IGNORECASE)
_IS_BUTTON = re.compile(rf"^\W{{0,4}}(?:{BUTTON_WORDS})\b", re.IGNORECASE)
_BOLD_NOUN = re.compile(r"(?:^|\b(?:the|a|an|your|new|and|or|with)\s+|,\s*)\*\*$")
_IS_VALUE = re.compile(r"\b(?:to|as|be|is)\s*[*\"“`]*$|=\s*[*\"“`]*$", re.IGNORECASE)
_NO_FIELDS = frozenset("ok yes no cancel next back done note tip important warning true false".split())
_MOST = 4

Values = dict[str, object]


def fields_of(clause: Clause) -> tuple[dict[str, Schema], Values]:
    """The fields that a clause names, with the values it puts in them."""
    names = marked(clause.rest)
    options = options_of(clause) or _marked_options(names, clause.rest)
    given = [name for name, after in names if not _is_part(after) and name not in options]
    told = [name for name in given if _IS_VALUE.search(clause.rest[: clause.rest.find(name)])]
    fields = {
        key: schema_of(name, after, options)
        for name, after in names
        if IS_FIELD.match(after) and (key := parameter_name(name))
    }
    values: Values = {}
    if clause.field and (key := parameter_name(clause.field)):
        fields.setdefault(key, schema_of(clause.field, "", options))
        values = {key: given[0]} if given and not options else {}
    elif len(fields) == 1:
        values = {next(iter(fields)): given[0]} if given and not options else {}
    elif not fields and clause.verb not in CHOOSING:
        fields = _bare(clause, [name for name in given if name not in told], options)
    if told and not options and clause.verb in SETTING | ENTERING:
        key = next(iter(fields), parameter_name(noun_phrase(clause.rest)))
        if key:
            fields.setdefault(key, field_schema(noun_phrase(clause.rest)))
            values[key] = told[0]
    return fields, {key: value for key, value in values.items() if fields[key].get("type") == "string"}


def _bare(clause: Clause, names: list[str], options: list[str]) -> dict[str, Schema]:
    """Names without the word field: all after a verb of entering, else those in bold that read like nouns."""
    fields: dict[str, Schema] = {}
    for name in names[:_MOST]:
        sure = clause.verb in ENTERING | SETTING | ASKING or _BOLD_NOUN.search(clause.rest[: clause.rest.find(name)])
        first = name.split()[0].lower()
        if sure and (key := parameter_name(name)) and first not in OPERATIONS and first not in _NO_FIELDS:
            fields[key] = schema_of(name, "", options)
    return fields


def options_of(clause: Clause) -> list[str]:
    """The choice that the clause offers; one that stands at the end of the sentence belongs to its last clause."""
    return enumeration(plain(clause.rest)) or (enumeration(clause.sentence.text) if clause.last else [])


def schema_of(name: str, after: str, options: list[str]) -> Schema:
    """The choice, or the type that the name speaks for; `after` is what follows the name."""
    if options:
        return options_schema(name, options)
    return field_schema(name, flag=bool(_IS_FLAG.match(after)))


def _is_part(after: str) -> bool:
    return bool(IS_FIELD.match(after) or _IS_BUTTON.match(after) or IS_PLACE.match(after))


def _marked_options(names: list[tuple[str, str]], raw: str) -> list[str]:
    """`**A**, **B**, or **C**` as options."""
    chain: list[str] = []
    for name, after in names:
        joined = re.match(r"^(?:\*\*|[*\"”`])?\s*(?:,\s*(?:or\s+)?|or\s+)(?=[*\"“`])", after)
        if joined or (chain and name not in chain):
            chain.append(name)
        if not joined:
            break
    return chain if len(chain) > 1 and " or " in raw else []
