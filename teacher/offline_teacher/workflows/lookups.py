"""The tools that only look something up: those that deliver ids, and those that any system offers beside."""

from collections.abc import Sequence

from offline_teacher.reading.naming import is_singleton, spoken
from offline_teacher.workflows.drafts import CREATING, Draft, identify
from offline_teacher.workflows.parameters import Schema

_MOST_TOOLS = 10
_LEAST_TOOLS = 5


def complete(drafts: Sequence[Draft], main: str) -> list[Draft]:
    """Adds what delivers the ids, before its first use, and lookups up to the least number of tools."""
    found: dict[str, Draft] = {}
    delivered: set[str] = set()
    for draft in drafts:
        for wanted in [draft.about, *draft.also] if draft.own_id else []:
            if wanted not in delivered:
                search = _search(wanted)
                found.setdefault(search.name, search)
                delivered.add(wanted)
        if draft.action == "search":
            draft = _search(draft.entity, draft.keys)
            delivered.add(draft.entity)
        elif draft.action == "list":
            delivered.add(draft.entity)
        elif draft.action in CREATING:
            delivered.add(draft.entity)
        found.setdefault(draft.name, draft)
    offered = {extra.name: extra for extra in [*_code_lists(drafts, main), *_extras(main)] if extra.name not in found}
    extras = list(offered.values())[: max(0, _LEAST_TOOLS - len(found))]
    return _limited(_inserted(list(found.values()), extras, main))


def _inserted(drafts: list[Draft], extras: Sequence[Draft], main: str) -> list[Draft]:
    """Puts additional lookups right behind what delivers the id that they need, writes at the end."""
    for extra in reversed(extras):
        if extra.action == "search":
            drafts.insert(0, extra)
        elif extra.reads:
            makers = [index for index, draft in enumerate(drafts) if draft.entity == main and _delivers(draft)]
            drafts.insert(makers[0] + 1 if makers else 0, extra)
        else:
            drafts.append(extra)
    return drafts


def _delivers(draft: Draft) -> bool:
    return draft.action in ("search", "list") or draft.action in CREATING


def _search(entity: str, keys: str = "") -> Draft:
    draft = Draft("search", entity, True, keys=keys)
    by = f"{keys[:1].upper()}{keys[1:]}" if keys else f"Name, number or other words that identify the {spoken(entity)}"
    words: Schema = {"type": "string", "description": f"{by}."}
    draft.properties, draft.required = {"query": words}, ["query"]
    return draft


def _code_lists(drafts: Sequence[Draft], main: str) -> list[Draft]:
    """Lists that deliver the codes which fields ask for: `location_code` comes from `list_locations`."""
    found: list[Draft] = []
    for draft in drafts:
        for name, schema in draft.properties.items():
            entity, code, _ = name.partition("_code")
            if code and "enum" not in schema and entity not in (main, draft.entity) and "_" not in entity:
                found.append(Draft("list", entity, True))
    return found[:2]


def _extras(main: str) -> list[Draft]:
    """Lookups that any system offers, in the order in which they are added."""
    names = [("get", main), ("list", f"{main}_change"), ("validate", main)]
    found = [Draft(action, entity, True, about=main) for action, entity in names]
    for draft in found:
        identify(draft)
    return found if is_singleton(main) else [_search(main), *found]


def _limited(drafts: list[Draft]) -> list[Draft]:
    """At most ten; reads that deliver nothing go first."""
    needed = {f"{draft.about}_id" for draft in drafts}
    while len(drafts) > _MOST_TOOLS:
        spare = [draft for draft in drafts if draft.reads and f"{draft.entity}_id" not in needed]
        drafts.remove((spare or [draft for draft in drafts if not draft.reads])[-1])
    return drafts
