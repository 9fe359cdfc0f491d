"""A tool in the making: what it does, to what, and what it needs for it."""

from dataclasses import dataclass, field

from gem_tasks.domain.workflow import ToolSpec
from offline_teacher.reading import english
from offline_teacher.reading.naming import is_singleton, many, spoken
from offline_teacher.reading.words import third_person
from offline_teacher.workflows.parameters import Schema

CREATING = frozenset("create add register book reserve place issue record order make generate import request".split())
FINISHING = frozenset(
    """post submit send publish ship pay release confirm complete close approve cancel delete remove refund void return
    transfer finish archive block print export""".split()
)
SETTING = frozenset("update set change edit configure modify define".split())


@dataclass
class Draft:
    """A tool in the making."""

    action: str
    entity: str
    reads: bool
    properties: dict[str, Schema] = field(default_factory=dict[str, Schema])
    required: list[str] = field(default_factory=list[str])
    about: str = ""
    """Whose id it needs: its own entity, or the thing that the operation takes place on."""
    remarks: list[str] = field(default_factory=list[str])
    """Rules that the text states right beside the step."""
    values: dict[str, object] = field(default_factory=dict[str, object])
    """What the text itself enters."""
    also: list[str] = field(default_factory=list[str])
    """Another thing whose id it needs: `reschedule the appointment to the slot`."""
    keys: str = ""
    """What a search goes by, where the text says so: `booking number or last name`."""

    @property
    def name(self) -> str:
        """Searches and lists speak of many."""
        noun = many(self.entity) if self.action in ("search", "list") else self.entity
        return f"{self.action}_{noun}"[:64].rstrip("_")

    @property
    def own_id(self) -> str:
        """The parameter that identifies what it works on; empty if there is nothing to identify."""
        return f"{self.about}_id" if self.about and not is_singleton(self.about) else ""

    def spec(self) -> ToolSpec:
        """The finished tool."""
        schema = {
            "type": "object",
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": False,
        }
        return ToolSpec(name=self.name, description=_description(self), parameters=schema)


def id_schema(entity: str) -> Schema:
    """An id that another tool delivers."""
    return {"type": "string", "description": f"Id of the {spoken(entity)}."}


def identify(draft: Draft) -> None:
    """Puts the ids first; a tool that creates needs its fields, or a few words where the text names none."""
    if draft.action == "search":
        return
    key = draft.own_id if draft.about != draft.entity or draft.action not in CREATING else ""
    if key:
        others = {f"{other}_id": id_schema(other) for other in draft.also}
        draft.properties = {key: id_schema(draft.about), **others, **draft.properties}
    elif not draft.properties and not draft.reads:
        draft.properties["description"] = {"type": "string", "description": f"What the {spoken(draft.entity)} is for."}
    if draft.action in SETTING and set(draft.properties) <= {key}:
        draft.properties["note"] = {"type": "string", "description": "What is to be changed, and why."}
    draft.required = list(draft.properties)[: 3 if key else 2]


def _description(draft: Draft) -> str:
    noun, owner = spoken(draft.entity), spoken(draft.about)
    other = bool(draft.about) and not draft.entity.endswith(draft.about)
    match draft.action:
        case "search":
            text = f"Finds {english.many(noun)} by {draft.keys or 'name, number or other words'}."
        case "get":
            text = f"Returns the {noun} of {english.a(owner)}." if other else f"Returns all data of {english.a(noun)}."
        case "list" if draft.entity == f"{draft.about}_change":
            text = f"Lists what was changed on {english.a(owner)}, newest first."
        case "list":
            text = f"Lists the {english.many(noun)}{f' of {english.a(owner)}' if other else ''}."
        case "validate":
            text = f"Checks whether {english.a(noun)} is complete and consistent."
        case action:
            text = f"{third_person(action)} {f'the {noun} of {english.a(owner)}' if other else english.a(noun)}."
            if action in CREATING:
                text = f"{third_person(action)} {english.a(noun)}{f' for {english.a(owner)}' if other else ''}"
                text += " and returns its id."
    return " ".join([text[0].upper() + text[1:], *draft.remarks])
