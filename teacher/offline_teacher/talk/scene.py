"""What a draft conversation left behind: its main thing and a table of its like, ready to be asked about."""

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message, Trajectory
from gem_tasks.domain.workflow import ToolSpec
from offline_teacher.reading import english
from offline_teacher.talk import people
from offline_teacher.talk.memory import Memory, id_field, response_of, rows_in
from offline_teacher.talk.neighbours import PRIORITIES
from offline_teacher.talk.script import Script
from offline_teacher.talk.shapes import fits
from offline_teacher.talk.tools import toolbox
from offline_teacher.talk.values import code

_DAY = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_LABELS = ("name", "title", "account_name", "requested_by", "subject", "description")
_USUAL_STATES = ("open", "in_progress", "closed")


@dataclass
class Scene:
    """One conversation being enriched."""

    rng: random.Random
    script: Script
    entity: str
    """The main thing, in words."""
    key: str
    """The name of its id."""
    main: Json
    """Its row as the draft's results left it; has at least the id."""
    statuses: list[str]
    today: date
    style: str
    branches: tuple[str, str]
    memory: Memory
    table: list[Json] = field(default_factory=list[Json])
    """Other rows of the main thing, as the list will show them."""
    extras: dict[str, Json] = field(default_factory=dict[str, Json])
    """Fields added to rows, by id."""
    histories: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    taken: set[str] = field(default_factory=set[str])
    """Names that fields and parameters of the draft already have."""
    specs: Sequence[ToolSpec] = ()
    """All tools, the draft's and the added ones."""
    steps: list[str] = field(default_factory=list[str])
    """Steps of the text that are done by hand, word for word."""
    greedy: bool = False
    """Whether the user has already asked for more than a list returns."""
    listed: list[Json] = field(default_factory=list[Json])
    """Rows that the assistant has seen in the list."""

    @property
    def label_key(self) -> str:
        """The field by which people know the thing; the id's where there is none."""
        return next((name for name in _LABELS if isinstance(self.main.get(name), str)), self.key)

    def besides(self, name: str) -> Json:
        """What every row has besides, the same for the same id."""
        if name not in self.extras:
            rng = self.rng
            made: Json = {
                "branch": rng.choice(self.branches),
                "priority": rng.choice(PRIORITIES),
                "cost_center": f"CC-{rng.randint(21, 96)}0",
                "source": rng.choice(("web", "phone", "import", "mail")),
            }
            self.extras[name] = {field_name: made[field_name] for field_name in made if field_name not in self.taken}
        return self.extras[name]

    def history(self, row: Json) -> list[Json]:
        """Events of a row, newest first; the newest is on the row's day of change."""
        name = str(row[self.key])
        if name not in self.histories:
            newest = date.fromisoformat(str(row["changed_on"]))
            days = [0, *sorted(self.rng.sample(range(2, 70), self.rng.randint(2, 4)))]
            actions = [self.rng.choice(("updated", "reviewed", "comment added", "due date moved")) for _ in days[1:]]
            self.histories[name] = [
                {"on": (newest - timedelta(days=day)).isoformat(), "action": action, "by": people.person(self.rng)}
                for day, action in zip(days, [*actions, "created"], strict=True)
            ]
        return self.histories[name]


def scene_of(draft: Trajectory, rng: random.Random) -> Scene:
    """Reads the draft's calls and results."""
    memory, used = Memory(), Counter[str]()
    waiting: dict[str, tuple[str, Json]] = {}
    for message in draft.messages:
        for call in message.tool_calls:
            waiting[call.id] = (call.name, call.arguments)
            used.update(str(given) for given in call.arguments.values() if isinstance(given, str | int))
        if message.role == "tool":
            name, arguments = waiting.get(message.tool_call_id or "", ("", {}))
            memory.take(name, arguments, response_of(message))
    ids = [name for name in memory.rows if memory.keys[name].lower() not in ("id", "staff_number")] or list(memory.rows)
    main_id = max(ids, key=lambda name: used[name], default="")
    entity, key, main = _main(draft, memory, main_id, rng)
    seen = sorted(
        {str(row["status"]) for row in memory.rows.values() if isinstance(row.get("status"), str) and key in row}
    )
    statuses = list(dict.fromkeys([*seen, *_USUAL_STATES]))
    today = _today(draft.messages, rng)
    branches = (people.city(rng), people.place_name(rng))
    style = rng.choice(("plain", "chatty", "hurried", "polite"))
    scene = Scene(rng, Script(), entity, key, main, statuses, today, style, branches, memory)
    scene.taken = {name for row in memory.rows.values() for name in row}
    scene.taken |= {name for message in draft.messages for call in message.tool_calls for name in call.arguments}
    return scene


def _main(draft: Trajectory, memory: Memory, main_id: str, rng: random.Random) -> tuple[str, str, Json]:
    if main_id:
        key = memory.keys[main_id]
        words = english.split_name(key)[:-1]
        if words:
            return " ".join(words), key, dict(memory.rows[main_id])
    nouns = [tool.noun for tool in toolbox(draft.tools).tools.values() if tool.noun]
    entity = Counter(nouns).most_common(1)[0][0] if nouns else "case"
    key = f"{entity.replace(' ', '_')}_id"
    return entity, key, {key: code(rng, entity)}


def _today(messages: Sequence[Message], rng: random.Random) -> date:
    """The first day that the system turn names, else some day."""
    match = _DAY.search(messages[0].content or "") if messages else None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else date(2026, 3, rng.randint(2, 27))
    except ValueError:
        return date(2026, 3, rng.randint(2, 27))


def said(status: str) -> str:
    """A state in words."""
    return status.replace("_", " ")


def id_schema_of(tools: Sequence[ToolSpec], scene: Scene) -> Json:
    """How some tool describes ids of the main thing, if the main id fits it."""
    for spec in tools:
        properties: Any = spec.parameters.get("properties")
        schema: Any = properties.get(scene.key) if isinstance(properties, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        simple = isinstance(schema, dict) and schema.get("type") in ("string", "integer") and "enum" not in schema  # pyright: ignore[reportUnknownMemberType]
        if simple and fits(schema, scene.main[scene.key]):  # pyright: ignore[reportUnknownArgumentType]
            return {str(name): schema[name] for name in schema}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return {"type": "integer" if isinstance(scene.main[scene.key], int) else "string"}


def fill_table(scene: Scene, schema: Json) -> None:
    """Rows like the main one: one that is easily mistaken for it, and others."""
    rng, main = scene.rng, scene.main
    status = next((state for state in scene.statuses if state != main.get("status")), scene.statuses[0])
    label = scene.label_key
    branch = scene.branches[0]
    for index in range(rng.randint(4, 6)):
        name = _fresh_id(scene, schema)
        row: Json = {scene.key: name}
        if label != scene.key:
            row[label] = main[label] if index == 0 else _another(label, scene)
        changed = scene.today - timedelta(days=rng.randint(1, 12) + index)
        extra = {
            **scene.besides(str(name)),
            "branch": branch,
            "priority": "high" if index in (0, 2, 3) else rng.choice(PRIORITIES[:2]),
        }
        scene.extras[str(name)] = extra
        row |= {"status": status, "changed_on": changed.isoformat(), **extra}
        scene.table.append(row)
    rng.shuffle(scene.table)


def _another(label: str, scene: Scene) -> str:
    if label in ("requested_by",):
        return people.person(scene.rng)
    if label == "account_name":
        return people.company(scene.rng)
    own = str(scene.main[label])
    return f"{people.place_name(scene.rng)} {scene.entity}" if own.endswith(scene.entity) else people.company(scene.rng)


def _fresh_id(scene: Scene, schema: Json) -> str | int:
    known = {*scene.memory.rows, *(str(row[scene.key]) for row in scene.table), str(scene.main[scene.key])}
    like = str(scene.main[scene.key])
    for _ in range(50):
        made: str | int = re.sub(r"\d", lambda _: str(scene.rng.randint(1, 9)), like)
        if isinstance(scene.main[scene.key], int):
            made = int(made)
        if str(made) not in known and fits(schema, made):
            return made
    return scene.main[scene.key] + len(known) if isinstance(scene.main[scene.key], int) else f"{like}-{len(known)}"


def enriched(scene: Scene, message: Message, number: int) -> Message:
    """A result of the draft with fields that nobody asked for."""
    response = response_of(message)
    if not response or "error" in response:
        return message
    for row in rows_in(response):
        key = id_field(row)
        if key and isinstance(row[key], str | int) and len(row) > 1:
            for name, given in scene.besides(str(row[key])).items():
                row.setdefault(name, given)
    response["request"] = {"number": 4000 + 7 * number + len(scene.entity), "took_ms": 20 + (number * 37) % 160}
    return message.model_copy(update={"content": json.dumps(response, ensure_ascii=False)})
