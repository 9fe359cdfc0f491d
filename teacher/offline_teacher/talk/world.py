"""A small simulated database: what tools answer, with ids, names and states that stay the same."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from gem_tasks.domain.base import Json
from offline_teacher.reading import english
from offline_teacher.talk import people
from offline_teacher.talk.shapes import fits
from offline_teacher.talk.tools import Tool, Toolbox, same_thing
from offline_teacher.talk.values import Unfit, Values, code

_COMPANIES = frozenset(
    "vendor supplier customer company partner organization bank carrier dealer agency client".split()
)
_PEOPLE = frozenset(
    "patient guest employee member user student contact person driver reader borrower visitor applicant candidate "
    "technician colleague manager owner passenger tenant caller resource".split()
)
_MONEY = frozenset(
    "order invoice quote bill payment refund credit memo statement receipt loan claim budget contract".split()
)
_DOCUMENTS = _MONEY | frozenset(
    "report request shipment document ticket application booking reservation appointment transaction journal entry "
    "permit license case return issue message line form agreement proposal".split()
)
_EVENTS = frozenset("change history event log activity entry audit".split())
_MEASURES = frozenset("calculate count estimate measure determine weigh".split())
_TESTS = frozenset("verify validate test compare check".split())


@dataclass
class Record:
    """One row of one table."""

    entity: str
    key: str
    """Name of the id field."""
    id: str | int
    label_key: str
    """The field by which people know it."""
    fields: Json

    @property
    def label(self) -> str:
        """What people call it."""
        return str(self.fields.get(self.label_key, self.id))

    def row(self) -> Json:
        """As tools show it."""
        return {self.key: self.id, **self.fields}


@dataclass
class World:
    """The records of one conversation. `current` holds the record that is being talked about, by entity."""

    rng: random.Random
    box: Toolbox
    values: Values
    setting: people.Setting
    current: dict[str, Record] = field(default_factory=dict[str, Record])
    records: list[Record] = field(default_factory=list[Record])
    _facets: dict[str, Any] = field(default_factory=dict[str, Any])
    _minutes: int = 0

    def now(self) -> str:
        """The next moment of the conversation's clock, ISO 8601."""
        self._minutes += self.rng.randint(1, 3)
        start = datetime.combine(self.setting.today, time(9, 4), tzinfo=UTC)
        return (start + timedelta(minutes=self._minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def record(self, entity: str) -> Record:
        """The one being talked about; made on first use."""
        known = next((record for name, record in self.current.items() if same_thing(name, entity)), None)
        return known or self.make(entity)

    def make(self, entity: str, *, current: bool = True, like: Record | None = None) -> Record:
        """A new record; with `like` one that is easily mistaken for it."""
        param = self.box.id_param(entity)
        key = param.name if param else f"{entity.replace(' ', '_')}_id"
        if param and param.name.endswith("s") and param.schema.get("type") == "array":
            key = key[:-1]
        label_key, fields = _fields(entity, self)
        record = Record(entity, key, self._new_id(entity, param.schema if param else {}), label_key, fields)
        if like is not None:
            record.label_key = like.label_key
            record.fields[like.label_key] = like.fields[like.label_key]
        self.records.append(record)
        if current:
            self.current[entity] = record
        return record

    def stranger(self, like: Record) -> Record:
        """Another record of the same kind with a name of its own."""
        record = self.make(like.entity, current=False)
        other = people.person(self.rng) if nature(like.entity) in ("person", "document") else people.company(self.rng)
        if nature(like.entity) == "thing":
            other = f"{people.place_name(self.rng)} {like.entity}"
        record.fields[record.label_key] = other
        return record

    def _new_id(self, entity: str, schema: Json) -> str | int:
        items = schema.get("items")
        node: Json = items if isinstance(items, dict) else schema  # pyright: ignore[reportUnknownVariableType]
        taken = {record.id for record in self.records}
        for _ in range(20):
            made: Any = code(self.rng, entity)
            if not fits(node, made):
                made = self.rng.randint(10200, 98700)
            if not fits(node, made):
                try:
                    made = self.values.make(f"{entity} id", {key: node[key] for key in node if key != "default"}, {})
                except Unfit:
                    break
            if isinstance(made, str | int) and not isinstance(made, bool) and made not in taken:
                return made
        return code(self.rng, entity)

    def answer(self, tool: Tool, arguments: Json) -> Json:
        """The response to a correct call; changes the records as the call says."""
        if tool.kind == "find":
            return self._found(tool, arguments)
        if tool.kind == "read":
            return self._read(tool, arguments)
        return self._created(tool, arguments) if tool.kind == "create" else self._changed(tool, arguments)

    def referred(self, tool: Tool, arguments: Json) -> Record | None:
        """The record that a call works on, by the ids in its arguments; its own before its parents."""
        own = tool.own_id()
        for param in ([own] if own else []) + [param for param in tool.params if param.entity and param is not own]:
            value = arguments.get(param.name)
            wanted = value[0] if isinstance(value, list) and value else value  # pyright: ignore[reportUnknownVariableType]
            found = next((record for record in self.records if record.id == wanted), None)
            if found:
                return found
        return None

    def _found(self, tool: Tool, arguments: Json) -> Json:
        noun = tool.noun or "result"
        plural = english.many(noun).replace(" ", "_")
        parent = self.referred(tool, arguments)
        head = {parent.key: parent.id} if parent else {}
        if noun.split(" ")[-1] in _EVENTS and parent:
            rows = self.events(parent)
        else:
            target = self.record(noun)
            alike = [one for one in self.records if one is not target and one.entity == target.entity]
            same = [one for one in alike if one.label == target.label]
            rows = [one.row() for one in sorted([target, *same], key=lambda one: str(one.id))]
        return {**head, plural: rows, "total_count": len(rows)}

    def _read(self, tool: Tool, arguments: Json) -> Json:
        record = self.referred(tool, arguments)
        head = tool.verb.split(" ")[0]
        noun = (tool.noun or "result").replace(" ", "_")
        if record and same_thing(record.entity, tool.noun):
            return record.row()
        base: Json = {record.key: record.id} if record else {}
        name = f"{noun} {record.id if record else ''}"
        if head in _MEASURES:
            return {**base, noun: self._facet(name, self.rng.randint(2, 40)), "calculated_at": self.now()}
        if head in _TESTS:
            return {**base, noun: "ok", "issues": [], "checked_at": self.now()}
        label_key, fields = _fields(tool.noun or "result", self)
        del label_key
        return {**base, noun: self._facet(name, {**fields, "updated_at": self.now()})}

    def _facet(self, name: str, made: Any) -> Any:
        """The same answer to the same question."""
        return self._facets.setdefault(name, made)

    def _created(self, tool: Tool, arguments: Json) -> Json:
        entity = tool.noun or "record"
        before = self.current.pop(entity, None)
        record = self.make(entity)
        status = record.fields.get("status", "open")
        if tool.final or tool.verb in ("book", "reserve", "register", "schedule"):
            status = english.past(tool.verb).replace(" ", "_")
        own = {name: value for name, value in arguments.items() if name != record.key}
        label = (
            {record.label_key: before.fields[record.label_key]} if before and record.label_key in before.fields else {}
        )
        said = [value for name, value in own.items() if isinstance(value, str) and name == record.label_key]
        record.fields = {**(label if not said and record.label_key in own else {}), **own, "status": status}
        if record.label_key not in record.fields:
            record.label_key = record.key
        self._facets[f"events {record.id}"] = [self._event("created")]
        return {**record.row(), "created_at": self.now(), "created_by": self.setting.user.name}

    def _changed(self, tool: Tool, arguments: Json) -> Json:
        record = self.referred(tool, arguments)
        done = english.past(tool.verb).replace(" ", "_")
        ids = {param.name for param in tool.params if param.entity}
        changed = {name: value for name, value in arguments.items() if name not in ids}
        if record is None:
            noun = (tool.noun or "request").replace(" ", "_")
            return {noun: arguments, "status": done, "updated_at": self.now()}
        if tool.final and same_thing(record.entity, tool.noun):
            changed["status"] = done
        record.fields.update(changed)
        self.events(record).insert(0, self._event(done))
        others = {name: value for name, value in arguments.items() if name in ids and name != record.key}
        status = record.fields.get("status", "active")
        return {record.key: record.id, **others, **changed, "status": status, "updated_at": self.now()}

    def _event(self, action: str) -> Json:
        user = self.setting.user.name
        return {"changed_at": self.setting.today.isoformat(), "action": action, "changed_by": user}

    def events(self, record: Record) -> list[Json]:
        """What happened to a record, newest first; the same list every time but for what is done meanwhile."""
        name = f"events {record.id}"
        if name not in self._facets:
            days = sorted((self.rng.randint(2, 60) for _ in range(self.rng.randint(3, 5))), reverse=False)
            self._facets[name] = [
                {
                    "changed_at": (self.setting.today - timedelta(days=day)).isoformat(),
                    "action": self.rng.choice(("updated", "reviewed", "assigned", "comment added")),
                    "changed_by": people.person(self.rng),
                }
                for day in days
            ]
            self._facets[name][-1]["action"] = "created"
        return self._facets[name]


def nature(entity: str) -> str:
    """`company`, `person`, `money`, `document` or `thing`, by its last word."""
    last = entity.split(" ")[-1]
    if last in _COMPANIES:
        return "company"
    if last in _PEOPLE:
        return "person"
    return "money" if last in _MONEY else "document" if last in _DOCUMENTS else "thing"


def _fields(entity: str, world: World) -> tuple[str, Json]:
    """`(label field, fields)` of a new record."""
    rng, values = world.rng, world.values
    match nature(entity):
        case "company":
            return "name", {"name": values.company, "city": people.city(rng), "status": "active"}
        case "person":
            return "name", {"name": values.person, "city": people.city(rng), "status": "active"}
        case "money":
            amount = round(rng.randint(80, 4200) + rng.choice((0, 0.5, 0.25, 0.9)), 2)
            rest = {"document_date": values.day("document"), "amount": amount, "currency": "EUR", "status": "open"}
            return "account_name", {"account_name": values.company, **rest}
        case "document":
            rest = {"date": values.day("document"), "owner": people.person(rng), "status": "open"}
            return "requested_by", {"requested_by": values.person, **rest}
        case _:
            name = f"{people.place_name(rng)} {entity}"
            return "name", {"name": name, "owner": people.person(rng), "city": people.city(rng), "status": "active"}
