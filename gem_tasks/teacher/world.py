"""A small simulated system behind the tools: its ids, names and states stay the same through a conversation."""

import random
from datetime import date, timedelta
from typing import Any

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.teacher.values import example, new_id
from gem_tasks.teacher.words import singular

READS = frozenset(
    "search find list get check lookup look query view read fetch show verify retrieve count browse".split()
)
CREATES = frozenset("create add register book reserve place issue record open generate make request".split())
FINISHES = frozenset(
    """post submit send publish ship pay release confirm complete close approve cancel delete remove refund void return
    transfer issue finish archive block""".split()
)
_STATES = {
    "post": "posted", "submit": "submitted", "send": "sent", "publish": "published", "ship": "shipped", "pay": "paid",
    "release": "released", "confirm": "confirmed", "complete": "completed", "close": "closed", "approve": "approved",
    "cancel": "cancelled", "delete": "deleted", "remove": "removed", "refund": "refunded", "void": "void",
    "archive": "archived", "block": "blocked", "transfer": "transferred", "return": "returned",
}  # fmt: skip
_OWNERS = ("M. Ferreira", "S. Lund", "K. Adeyemi", "T. Ito", "R. Costa")
_START = date(2026, 2, 2)


def action_of(tool: str) -> str:
    """First word of a tool's name, lower case."""
    return tool.lower().replace("-", "_").split("_")[0]


def thing_of(tool: str) -> str:
    """The other words, singular: `search_sales_orders` → `sales order`."""
    words = tool.lower().replace("-", "_").split("_")[1:] or ["record"]
    return " ".join([*words[:-1], singular(words[-1])])


def reads(tool: str) -> bool:
    """Whether a call changes nothing, by its name."""
    return action_of(tool) in READS


def is_id(name: str, schema: dict[str, Any]) -> bool:
    """Whether a parameter is an identifier that a system gives out."""
    free = schema.get("type", "string") == "string" and "enum" not in schema and "pattern" not in schema
    return free and (name == "id" or name.lower().endswith(("_id", "_no", "_number", "_key")))


class World:
    """Answers calls. Every identifier has one value, whichever tool asks for it.

    Args:
        tools: that may be called.
        rng: the source of names and dates.
        rich: long answers with more than was asked for.
    """

    def __init__(self, tools: tuple[ToolSpec, ...], rng: random.Random, *, rich: bool = False) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self.rich = rich
        self._rng = rng
        self.ids: dict[str, str] = {}
        self.state = "open"
        self._day = _START + timedelta(days=rng.randint(0, 200))
        self._minute = rng.randint(0, 300)
        self.owner = rng.choice(_OWNERS)
        self.name = ""
        """What the user calls the thing it is about."""

    def settle(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments with this world's identifiers, and with what is required but missing."""
        schema = self.tools[name].parameters
        properties: dict[str, Any] = schema.get("properties") or {}
        missing = [key for key in schema.get("required", []) if key not in arguments]
        settled = {**arguments, **{key: example(key, properties.get(key, {}), self._rng) for key in missing}}
        for key, value in settled.items():
            if isinstance(value, str) and is_id(key, properties.get(key, {})):
                settled[key] = self.ids.setdefault(key, value or new_id(key, self._rng))
        return settled

    def answer(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The result of a correct call."""
        action = action_of(name)
        if action in ("search", "find", "list", "query", "browse"):
            return self._several(name)
        if reads(name):
            return {**arguments, **self._record(), **({"history": self._history(3)} if self.rich else {})}
        return self._changed(name, arguments, action)

    def locked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The error of a call that comes at the wrong moment."""
        what = next((value for key, value in arguments.items() if key in self.ids), self.name or "the record")
        return {"error": {"code": "RECORD_LOCKED", "message": f"{what} is being edited in another session."}}

    def _several(self, name: str) -> dict[str, Any]:
        if "change" in name or "histor" in name:
            return {"entries": self._history(4 if self.rich else 2)}
        first = {**self.ids, **self._record()}
        others = [self._stranger(number) for number in range(2 if self.rich else 0)]
        found = [first, *others]
        return {"results": found, "total": len(found)}

    def _record(self) -> dict[str, Any]:
        record: dict[str, Any] = {"name": self.name, "status": self.state, "last_changed": self._stamp()}
        if self.rich:
            record |= {
                "owner": self.owner,
                "created": (self._day - timedelta(days=30)).isoformat(),
                "revision": 3,
                "tags": [],
            }
        return record

    def _stranger(self, number: int) -> dict[str, Any]:
        """A record that looks like the wanted one."""
        ids = {key: _neighbour(value, number + 1) for key, value in self.ids.items()}
        state = ("archived", "draft")[number % 2]
        name = f"{self.name} ({state})"
        return {**ids, "name": name, "status": state, "last_changed": self._stamp(), "owner": _OWNERS[number]}

    def _changed(self, name: str, arguments: dict[str, Any], action: str) -> dict[str, Any]:
        self.state = _STATES.get(action, self.state)
        key = f"{thing_of(name).replace(' ', '_')}_id"
        given = {key: self.ids.setdefault(key, new_id(key, self._rng))} if action in CREATES else {}
        result = {**given, **arguments, "status": self.state, "changed_at": self._stamp()}
        return {**result, "changed_by": self.owner, "revision": 4} if self.rich else result

    def _history(self, count: int) -> list[dict[str, Any]]:
        events = ("updated", "reviewed", "created", "imported")[:count]
        return [
            {"date": (self._day - timedelta(days=3 * back)).isoformat(), "event": event, "by": self.owner}
            for back, event in enumerate(events, start=1)
        ]

    def _stamp(self) -> str:
        self._minute += 2
        return f"{self._day.isoformat()}T{8 + self._minute // 60 % 12:02d}:{self._minute % 60:02d}:00Z"


def _neighbour(identifier: str, distance: int) -> str:
    """Another identifier of the same form: its last digit moved on."""
    last = identifier[-1:]
    return identifier[:-1] + (str((int(last) + distance) % 10) if last.isdigit() else f"{last}{distance}")
