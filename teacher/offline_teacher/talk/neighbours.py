"""Tools that a real system has beside the given ones: list, history, colleagues, handing over, archiving."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gem_tasks.domain.base import Json
from gem_tasks.domain.workflow import ToolSpec
from offline_teacher.reading import english

MOST_LISTED = 50
PRIORITIES = ("low", "normal", "high")
_WANTED = 9
_FOR_HANDOVER = 3
"""Tools that have to be missing before the two for handing over are added."""
_FOR_ARCHIVE = 5


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The added tools by what they are for; None where there were enough tools already."""

    listing: ToolSpec
    history: ToolSpec
    staff: ToolSpec | None = None
    handover: ToolSpec | None = None
    archive: ToolSpec | None = None

    def specs(self) -> tuple[ToolSpec, ...]:
        """Those that there are."""
        every = (self.listing, self.history, self.staff, self.handover, self.archive)
        return tuple(spec for spec in every if spec is not None)


def neighbours(
    given: Sequence[ToolSpec], entity: str, key: str, id_schema: Json, statuses: Sequence[str]
) -> Neighbours:
    """As many as make about nine tools together.

    Args:
        given: the tools that there are.
        entity: the thing that most is about, in words.
        key: the name of its id.
        id_schema: the schema that ids of it already have.
        statuses: the states that were seen of it.
    """
    snake = entity.replace(" ", "_")
    taken = {spec.name for spec in given}
    free = _WANTED - len(given)
    identity = {**id_schema, "description": f"ID of the {entity}."}
    listing = _listing(taken, entity, statuses)
    history = _spec(
        _name(taken, f"get_{snake}_history", f"get_{snake}_log", f"read_{snake}_history"),
        f"Returns everything that was done with {english.a(entity)}, newest first, with who did it.",
        {key: identity},
        [key],
    )
    staff = handover = archive = None
    if free >= _FOR_HANDOVER:
        staff = _spec(
            _name(taken, "find_staff", "search_colleagues", "find_staff_by_name"),
            "Finds colleagues by name, with staff number and branch.",
            {"name": {"type": "string", "minLength": 2, "description": "First or last name."}},
            ["name"],
        )
        names = (f"assign_{snake}", f"hand_over_{snake}", f"reassign_{snake}")
        handover = _handover(_name(taken, *names), entity, key, identity)
    if free >= _FOR_ARCHIVE:
        archive = _spec(
            _name(taken, f"archive_{snake}", f"file_away_{snake}", f"put_away_{snake}"),
            f"Moves {english.a(entity)} that is no longer needed into the archive.",
            {key: identity, "reason": {"type": "string", "minLength": 3, "description": "Why."}},
            [key, "reason"],
        )
    return Neighbours(listing, history, staff, handover, archive)


def _listing(taken: set[str], entity: str, statuses: Sequence[str]) -> ToolSpec:
    many = english.many(entity)
    snake = many.replace(" ", "_")
    day = {"type": "string", "format": "date", "description": "Only what was changed after this day."}
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": 20, "description": "At most so many."}
    return _spec(
        _name(taken, f"list_{snake}", f"filter_{snake}", f"list_all_{snake}"),
        f"Lists {many} that meet all of the given conditions, at most {MOST_LISTED} at a time.",
        {
            "status": {"type": "string", "enum": list(statuses), "description": f"State of the {entity}."},
            "changed_after": day,
            "branch": {"type": "string", "minLength": 2, "description": "Only of this branch."},
            "limit": limit,
        },
        ["status"],
    )


def _handover(name: str, entity: str, key: str, identity: Json) -> ToolSpec:
    assignee = {
        "type": "object",
        "properties": {
            "staff_number": {"type": "string", "pattern": "^E-[0-9]{4}$", "description": "Number of the colleague."},
            "name": {"type": "string", "minLength": 2, "description": "Full name."},
        },
        "required": ["staff_number", "name"],
        "additionalProperties": False,
        "description": "Who takes over.",
    }
    note = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minLength": 3, "maxLength": 300, "description": "What to look at."},
            "follow_up_on": {"type": "string", "format": "date", "description": "Day of the reminder."},
        },
        "required": ["text"],
        "additionalProperties": False,
        "description": "A note for them.",
    }
    return _spec(
        name,
        f"Makes a colleague responsible for {english.a(entity)} and leaves a note for them.",
        {key: identity, "assignee": assignee, "note": note},
        [key, "assignee"],
    )


def _name(taken: set[str], *wanted: str) -> str:
    """The first that is free and short enough; it counts as taken from then on."""
    short = [name for name in wanted if len(name) <= 60]
    numbered = [f"{name[:56]}_{number}" for number in range(2, 9) for name in wanted]
    chosen = next((name for name in [*short, *numbered] if name not in taken), f"extra_tool_{len(taken)}")
    taken.add(chosen)
    return chosen


def _spec(name: str, description: str, properties: dict[str, Any], required: list[str]) -> ToolSpec:
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return ToolSpec(name=name, description=description, parameters=schema)
