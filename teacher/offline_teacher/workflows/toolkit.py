"""Events to tools: writes as the text has them, and the reads that give the writes their ids."""

import re
from collections.abc import Sequence

from offline_teacher.reading.analyse import Limit, plain
from offline_teacher.reading.naming import is_singleton, page_entity
from offline_teacher.workflows.drafts import CREATING, FINISHING, SETTING, Draft, identify
from offline_teacher.workflows.events import NOTING, Event
from offline_teacher.workflows.lookups import complete
from offline_teacher.workflows.parameters import (
    MAX_FIELDS,
    Schema,
    bind,
    counted,
    enumeration,
    field_schema,
    options_schema,
    parameter_name,
)

_MOST_WRITES = 7
_MOST_LOOKUPS = 3
_OFFERS = re.compile(r"\b(?:options?|one of|values?)\b", re.IGNORECASE)
_HEADS = frozenset("field option parameter value name setting property to column type description".split())
_BY = re.compile(r"\bby\s+([a-z][^,.;:()]{3,60})$", re.IGNORECASE)


def build(events: Sequence[Event], limits: Sequence[Limit], topic: str) -> list[Draft]:
    """Tools in the order of first use, lookups before what needs their ids."""
    maker = _Maker(topic)
    for event in events:
        maker.take(event)
    drafts = maker.finish()
    for draft in drafts:
        for name, schema in draft.properties.items():
            if not name.endswith("_id"):
                draft.properties[name] = bind(name, schema, limits)
        if not draft.reads:
            draft.properties |= counted(draft.action, draft.entity, draft.properties, limits)
    return drafts


class _Maker:
    """Follows the instructions and remembers what is being talked about."""

    def __init__(self, topic: str) -> None:
        self._topic = self._current = self._anchor = topic
        """What is talked about now; what was last gone to or looked up, so what side operations take place on."""
        self._known: set[str] = {topic}
        """Things that the text finds, opens or makes."""
        self._drafts: dict[str, Draft] = {}
        self._pending: dict[str, Schema] = {}
        self._last: Draft | None = None

    def take(self, event: Event) -> None:
        self._go(page_entity(event.clause.place))
        if event.kind == "go":
            self._go(event.entity)
        elif event.kind == "read":
            self._read(event)
        elif event.kind == "fields":
            self._fields(event)
        else:
            self._write(event)

    def _go(self, entity: str) -> None:
        if entity and entity != self._current:
            self._current = self._anchor = entity
            self._last = None

    def _read(self, event: Event) -> None:
        if event.action in ("search", "open", "list") and not event.aspect:
            action = "list" if event.action == "list" else "search"
            entity, before = event.entity or self._current, self._current
            made = self._draft(action, entity, event, reads=True)
            if action == "list" and not made.about:
                made.about = self._owner(event, entity) or (
                    before if before in self._known and before != entity else ""
                )
            self._known.add(entity)
            self._go(entity)
            made.keys = made.keys or _keys(event)
        elif not event.entity or event.entity == self._current or (event.aspect and "_" not in event.entity):
            self._draft("get", self._current, event, reads=True)
        elif event.entity in self._known:
            self._draft("get", event.entity, event, reads=True)
        else:
            made = self._draft(event.action, event.entity, event, reads=True)
            made.about = self._owner(event, event.entity) or self._current

    def _fields(self, event: Event) -> None:
        rows = _rows(event)
        if rows and len(event.fields) == 1 and _OFFERS.search(event.clause.sentence.text):
            name, rows = next(iter(event.fields)), {}
            options = [row for row, _ in event.clause.sentence.rows if row.lower() not in _HEADS][:12]
            if len(options) > 1 and "enum" not in event.fields[name]:
                event.fields[name] = options_schema(event.fields[name]["description"].rstrip("."), options)
        if event.action == "ask":
            self._pending |= event.fields
            return
        if not event.fields and not rows:
            return
        owner = next((entity for entity in event.owners if entity in self._known), "")
        last = self._last if event.clause.verb not in NOTING and (not owner or owner == self._current) else None
        self._go(owner)
        target = last if last and last.action not in FINISHING else self._draft("update", self._current, event)
        self._give(target, {**event.fields, **rows}, event)
        self._last = target

    def _write(self, event: Event) -> None:
        entity = event.entity or self._current
        if event.action in SETTING and list(event.fields) == [entity] and self._last and self._last.action in CREATING:
            self._fields(event)
            return
        if event.action == entity.split("_")[0]:
            return
        action = "update" if event.action in SETTING and entity in self._known | {self._current} else event.action
        made = self._draft(action, entity, event)
        self._give(made, {**event.fields, **_rows(event)}, event)
        if event.action in CREATING:
            around = self._current if self._current != entity and self._current in self._known else ""
            made.about = self._owner(event, entity) or around
            self._known.add(entity)
            self._current = entity if event.action != "add" or not made.about else self._current
        elif entity in self._known or entity == self._current:
            made.about = self._current = entity
            made.also += [owner for owner in event.owners if owner in self._known and owner != entity][:1]
        else:
            made.about = self._owner(event, entity) or self._anchor
        self._last = made

    def _owner(self, event: Event, entity: str) -> str:
        """The known thing that the object belongs to, where the sentence says so."""
        return next((owner for owner in event.owners if owner in self._known and owner != entity), "")

    def _draft(self, action: str, entity: str, event: Event, *, reads: bool = False) -> Draft:
        draft = Draft(action, entity, reads, about="" if action in ("search", "list") or action in CREATING else entity)
        return self._drafts.setdefault(draft.name, draft)

    def _give(self, draft: Draft, fields: dict[str, Schema], event: Event) -> None:
        pending, self._pending = (self._pending, {}) if not draft.reads else ({}, self._pending)
        for name, schema in {**pending, **fields}.items():
            if len(draft.properties) < MAX_FIELDS and name != draft.own_id:
                draft.properties.setdefault(name, schema)
        draft.values |= event.values
        if event.remark and not draft.remarks:
            draft.remarks.append(event.remark)

    def finish(self) -> list[Draft]:
        """Chooses, identifies and completes."""
        writes = [draft for draft in self._drafts.values() if not draft.reads]
        dropped = {draft.name for draft in _least_telling(writes)}
        kept = [draft for name, draft in self._drafts.items() if name not in dropped]
        telling = [draft for draft in kept if draft.reads or draft.action not in SETTING or draft.properties]
        kept = telling if any(not draft.reads for draft in telling) else kept
        main = self._main(kept)
        if not any(not draft.reads for draft in kept):
            kept.append(Draft("update", main, False, about=main))
        reads = [draft for draft in kept if draft.reads and draft.action != "search"][:_MOST_LOOKUPS]
        kept = [draft for draft in kept if not draft.reads or draft.action == "search" or draft in reads]
        for draft in kept:
            identify(draft)
        return complete(kept, main)

    def _main(self, drafts: Sequence[Draft]) -> str:
        """What most operations are about, if it can be searched."""
        counts: dict[str, int] = {}
        for draft in drafts:
            thing = draft.about or draft.entity
            counts[thing] = counts.get(thing, 0) + 1 + (thing in self._known) - 2 * is_singleton(thing)
        return max(counts, key=lambda thing: counts[thing]) if counts else self._topic


def _rows(event: Event) -> dict[str, Schema]:
    """Fields of the table or list below a step."""
    found: dict[str, Schema] = {}
    for name, explained in event.clause.sentence.rows[: MAX_FIELDS + 2]:
        key = parameter_name(name)
        if key and name.lower() not in _HEADS and len(name.split()) <= 6:
            options = enumeration(explained)
            found[key] = options_schema(name, options) if options else field_schema(name, explained)
    return found


def _keys(event: Event) -> str:
    """`by booking number or by last name` as `booking number or last name`."""
    found = _BY.search(plain(event.clause.rest))
    return re.sub(r"\b(?:by|its|his|her|their|the)\s+", "", found[1]).strip() if found else ""


def _least_telling(writes: Sequence[Draft]) -> list[Draft]:
    """Those beyond the most that a workflow should have: first the ones without fields that finish nothing."""
    surplus = len(writes) - _MOST_WRITES
    if surplus <= 0:
        return []
    ranked = sorted(
        writes, key=lambda draft: (draft.action in FINISHING or draft.action in CREATING, len(draft.properties))
    )
    return ranked[:surplus]
