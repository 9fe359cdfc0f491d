"""What an instruction means for a system: it goes somewhere, sets fields, reads, or changes something."""

import re
from dataclasses import dataclass, field
from typing import Literal

from offline_teacher.reading.analyse import plain
from offline_teacher.reading.clauses import PLACE_WORDS, Clause, marked
from offline_teacher.reading.naming import entity_of, is_aspect, noun_phrase, owners_of, page_entity
from offline_teacher.reading.nouns import FIELD_NOUNS, OPENABLE
from offline_teacher.reading.words import NOUN_VERBS, OPERATIONS, SCREEN_VERBS, singular
from offline_teacher.workflows.fields import (
    ASKING,
    CHOOSING,
    ENTERING,
    IS_FIELD,
    IS_PLACE,
    SETTING,
    fields_of,
    options_of,
    schema_of,
)
from offline_teacher.workflows.parameters import Schema, field_schema, options_schema, parameter_name

Kind = Literal["go", "fields", "read", "write"]

_THAT = re.compile(r"^(?:that|whether|if)\b", re.IGNORECASE)
_SCREEN = re.compile(
    rf"^(?:the\s++|this\s++|your\s++)?(?:[a-z]++\s++)?(?:{PLACE_WORDS}|browser|message)\b", re.IGNORECASE
)
_LEAVING = frozenset("close save finish complete exit".split())
_WITH = re.compile(r"\bwith\s+(?:the\s+|a\s+|an\s+)?([a-z][a-z -]{2,60})", re.IGNORECASE)
_NOTHING = frozenset(
    """repeat follow wait look use go navigate continue proceed hold scroll expand leave hover browse visit drag swipe
    make take put keep give let decide get do see hang carry
    refer read tell ask offer start finish scan try think consider save login""".split()
)
_READ = {
    "find": "search", "search": "search", "locate": "search", "filter": "search", "identify": "search",
    "list": "list",
    "check": "get", "verify": "get", "view": "get", "review": "get", "inspect": "get", "compare": "compare",
    "monitor": "get", "track": "track", "get": "get", "determine": "get", "preview": "preview",
    "calculate": "calculate", "measure": "measure", "estimate": "estimate", "evaluate": "evaluate",
}  # fmt: skip
_NEW = frozenset("new create add".split())
_BUTTON_VERBS = frozenset(
    "book request post print release process transfer refund update upgrade test schedule void return".split()
)
NOTING = frozenset("record note log capture save write report mark".split())
_DONE_BUTTONS = frozenset("ok yes no save close done finish next back cancel continue home apply".split())


@dataclass
class Event:
    """What one clause means."""

    kind: Kind
    action: str
    entity: str
    """snake_case; empty when it is what was talked about before."""
    clause: Clause
    fields: dict[str, Schema] = field(default_factory=dict[str, Schema])
    values: dict[str, object] = field(default_factory=dict[str, object])
    """What the text itself enters in those fields."""
    aspect: bool = False
    """The object is but a side of a thing: its status, its details."""
    remark: str = ""
    """The rule that the text adds right behind the instruction."""

    @property
    def owners(self) -> list[str]:
        """Things that the object belongs or goes to: `of the patient`, `to the slot`."""
        return owners_of(plain(self.clause.rest))


def event_of(clause: Clause) -> Event | None:
    """What a clause means; None for what no system takes part in."""
    verb = clause.verb
    if not clause.operation:
        return None
    fields, values = fields_of(clause)
    if verb in ENTERING or (verb in SETTING and fields) or clause.operation == "fill":
        return _entered(clause, fields, values)
    if verb == "open" and entity_of(clause.rest).rsplit("_", 1)[-1] in OPENABLE:
        return Event("write", "open", entity_of(clause.rest), clause)
    if verb in CHOOSING:
        return _chosen(clause, fields, values)
    if verb in ("go", "navigate", "go to"):
        return _gone(clause)
    if verb in ASKING:
        return Event("fields", "ask", "", clause, fields, values) if fields else None
    if verb in _NOTHING:
        return None
    return _done(clause, fields, values)


def _entered(clause: Clause, fields: dict[str, Schema], values: dict[str, object]) -> Event | None:
    names = marked(clause.rest)
    bare = len(names) == 1 and clause.rest.startswith(("*", '"', "“", "`")) and not clause.field
    if bare and not IS_FIELD.match(names[0][1]) and not clause.last and clause.verb in ("enter", "type"):
        return Event("go", "open", page_entity(names[0][0]), clause)  # typed into a search box, then chosen
    if not fields:
        for words in re.split(
            r",\s*+(?:and\s++)?|(?<!\s)\s++and\s++", re.split(r"\b(?:to|for|that|where|when|if)\b", clause.rest)[0]
        ):
            phrase = noun_phrase(words)
            key = parameter_name(phrase)
            if key and singular(phrase.split()[-1]) in FIELD_NOUNS and len(fields) < 3:
                fields[key] = schema_of(phrase, "", options_of(clause))
    return Event("fields", "update", "", clause, fields, values)


def _chosen(clause: Clause, fields: dict[str, Schema], values: dict[str, object]) -> Event | None:
    names = marked(clause.rest)
    if fields:
        return Event("fields", "update", "", clause, fields, values)
    for name, after in names:
        words = name.lower().replace("/", " ").split()
        if words[0] in _DONE_BUTTONS and len(words) == 1:
            continue
        if words[0] in _NEW:
            return Event("write", "create", entity_of(" ".join(words[1:]), sure=True), clause)
        if IS_PLACE.match(after):
            return Event("go", "open", page_entity(name), clause)
        is_verb = words[0] in OPERATIONS and words[0] not in SCREEN_VERBS
        if is_verb and (words[0] not in NOUN_VERBS or len(words) == 1 or words[0] in _BUTTON_VERBS):
            return _operation(words[0], " ".join(words[1:]), clause)
    if names and not names[0][1].strip(' *"”`'):
        return Event("go", "open", "", clause)
    return _picked(clause) if not names else None


def _picked(clause: Clause) -> Event | None:
    """`Select the customer` finds one; `choose a date` sets a field."""
    phrase = noun_phrase(clause.rest)
    last = singular(phrase.split()[-1]) if phrase else ""
    options = options_of(clause)
    if last in FIELD_NOUNS and (key := parameter_name(phrase)):
        return Event("fields", "update", "", clause, {key: schema_of(phrase, "", options)})
    if clause.verb in ("click", "tap", "press", "hit", "toggle"):
        return None
    entity = entity_of(clause.rest)
    if clause.verb == "choose" and entity and not options and (key := parameter_name(phrase)):
        return Event("fields", "update", "", clause, {key: schema_of(phrase, "", [])})
    if options:
        return Event("fields", "update", "", clause, {"method": options_schema("method", options)})
    return Event("read", "open", entity, clause) if entity else None


def _gone(clause: Clause) -> Event | None:
    names = [name for name, _ in marked(clause.rest)]
    entity = page_entity(names[-1]) if names else entity_of(re.sub(r"^(?:to|into|back to)\s+", "", clause.rest))
    return Event("go", "open", entity, clause)


def _done(clause: Clause, fields: dict[str, Schema], values: dict[str, object]) -> Event | None:
    if _THAT.match(clause.rest):
        return Event("read", "get", "", clause, aspect=True)
    if clause.verb in _LEAVING and (IS_PLACE.match(_after_name(clause.rest)) or _SCREEN.search(clause.rest)):
        return None
    made = _operation(clause.operation, clause.rest, clause)
    if made is None:
        return None
    if fields and clause.verb in NOTING:
        return Event("fields", "update", "", clause, fields, values)
    options = options_of(clause)
    if options and not fields and made.kind == "write" and (key := parameter_name(noun_phrase(clause.rest))):
        fields[key] = options_schema(noun_phrase(clause.rest), options)
    if found := _WITH.search(clause.rest):
        for words in re.split(r",\s*+(?:and\s++)?|(?<!\s)\s++and\s++", found[1]):
            phrase = noun_phrase(words)
            if phrase and singular(phrase.split()[-1]) in FIELD_NOUNS | {"dates"} and (key := parameter_name(phrase)):
                fields.setdefault(key, field_schema(phrase))
    last = singular((noun_phrase(clause.rest).split() or [""])[-1])
    if (
        clause.verb in SETTING
        and not fields
        and last in FIELD_NOUNS
        and (key := parameter_name(noun_phrase(clause.rest)))
    ):
        return Event("fields", "update", "", clause, {key: schema_of(noun_phrase(clause.rest), "", options)}, values)
    made.fields, made.values = fields, values
    return made


def _after_name(rest: str) -> str:
    names = marked(rest)
    return names[0][1] if names else ""


def _operation(verb: str, object_words: str, clause: Clause) -> Event | None:
    """A read or a write on the object, or on what was talked about before."""
    operation = OPERATIONS.get(verb, verb)
    entity, aspect = entity_of(object_words, sure=operation in ("create", "add")), is_aspect(object_words)
    if operation in SCREEN_VERBS or operation in _NOTHING:
        return None
    if operation in _READ:
        return Event("read", _READ[operation], entity, clause, aspect=aspect)
    return Event("write", operation, entity, clause, aspect=aspect)
