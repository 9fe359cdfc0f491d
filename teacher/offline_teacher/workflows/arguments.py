"""Concrete calls for the tools of a workflow: the text's own values first, else what people would say."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from offline_teacher.reading.naming import spoken
from offline_teacher.talk import people
from offline_teacher.talk.values import Unfit, Values, code
from offline_teacher.talk.world import nature
from offline_teacher.workflows.drafts import Draft


def actions(drafts: Sequence[Draft], rng: random.Random) -> list[dict[str, object]]:
    """One call per tool; an id is the same wherever it occurs."""
    today = date(2026, 1, 12) + timedelta(days=rng.randint(0, 250))
    values = Values(rng, today, people.company(rng), people.person(rng))
    ids: dict[str, str] = {}
    return [{"name": draft.name, "arguments": _arguments(draft, values, ids)} for draft in drafts]


def _arguments(draft: Draft, values: Values, ids: dict[str, str]) -> dict[str, object]:
    made: dict[str, object] = {}
    for name, schema in draft.properties.items():
        if name == draft.own_id or name in {f"{other}_id" for other in draft.also}:
            made[name] = ids.setdefault(name, code(values.rng, spoken(name.removesuffix("_id"))))
        elif name == "query" and draft.action == "search":
            made[name] = _label(spoken(draft.entity), values)
        elif (
            name in draft.values and schema.get("type") == "string" and not {"enum", "format", "pattern"} & set(schema)
        ):
            made[name] = draft.values[name]
        else:
            _make(made, name, schema, values, needed=name in draft.required)
    return made


def _make(made: dict[str, object], name: str, schema: dict[str, Any], values: Values, *, needed: bool) -> None:
    try:
        made[name] = values.make(name, schema, {})
    except Unfit:
        if needed:
            raise


def _label(entity: str, values: Values) -> str:
    """What somebody would type to find it."""
    if nature(entity) in ("company", "money"):
        return values.company
    if nature(entity) in ("person", "document"):
        return values.person
    return f"{people.place_name(values.rng)} {entity}"
