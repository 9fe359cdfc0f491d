"""Operations to tools: writes as the text has them, and the reads that give the writes their ids."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.teacher.analyse import Analysis
from gem_tasks.teacher.naming import Operation, operation, topic_of
from gem_tasks.teacher.parameters import MAX_FIELDS, Schema, fields, limited
from gem_tasks.teacher.words import plural

_MOST_TOOLS = 6
_LEAST_TOOLS = 4
FINISHING = frozenset(
    """post submit send publish ship pay release confirm complete close approve cancel delete remove refund void return
    transfer issue finish archive block""".split()
)
CREATING = frozenset("create add register book reserve place issue record order make generate".split())


@dataclass
class Draft:
    """A tool in the making."""

    action: str
    entity: str
    reads: bool
    purpose: str
    properties: dict[str, Schema] = field(default_factory=dict[str, Schema])
    required: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        """Searches and lists speak of many."""
        noun = plural(self.entity) if self.action in ("search", "list") else self.entity
        return f"{self.action}_{noun}"[:64]

    def spec(self) -> ToolSpec:
        """The finished tool."""
        schema = {
            "type": "object",
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": False,
        }
        return ToolSpec(name=self.name, description=self.purpose, parameters=schema)


def spoken(entity: str) -> str:
    """`sales_order` as words."""
    return entity.replace("_", " ")


def build(found: Analysis, title: str) -> list[Draft]:
    """Between four and six tools in the order of use; empty if the text has no instruction to build on."""
    topic = topic_of(title, found.steps)
    if not topic:
        return []
    operations = [made for step in found.steps if (made := operation(step, topic))]
    drafts = _writes(operations, found, topic)
    main = next((draft.entity for draft in drafts), topic)
    return [*_reads(operations, main, len(drafts)), *drafts][:_MOST_TOOLS]


def _writes(operations: Sequence[Operation], found: Analysis, topic: str) -> list[Draft]:
    drafts: dict[str, Draft] = {}
    for made in operations:
        if made.reads or made.action == made.entity:
            continue
        draft = drafts.get(made.name)
        if draft is None and len(drafts) < _MOST_TOOLS - 2:
            purpose = f"{made.step.sentence.text[:150].rstrip('.: ')}."
            draft = drafts[made.name] = Draft(made.action, made.entity, False, purpose)
        if draft is not None:
            _add_fields(draft, fields([made.step.sentence]))
    made_drafts = list(drafts.values()) or [Draft("update", topic, False, f"Changes a {spoken(topic)}.")]
    _spread(made_drafts, fields(found.sentences))
    _spread(made_drafts, limited(found.limits))
    for draft in made_drafts:
        _identify(draft)
    return made_drafts


def _add_fields(draft: Draft, found: dict[str, Schema]) -> None:
    for name, schema in found.items():
        if len(draft.properties) < MAX_FIELDS:
            draft.properties.setdefault(name, schema)


def _spread(drafts: Sequence[Draft], found: dict[str, Schema]) -> None:
    """Gives fields that no tool has to the tools that have the fewest, creating ones first."""
    taken = {name for draft in drafts for name in draft.properties}
    for name, schema in found.items():
        open_drafts = [draft for draft in drafts if len(draft.properties) < MAX_FIELDS - 1]
        if name in taken or not open_drafts:
            continue
        target = min(open_drafts, key=lambda draft: (draft.action not in CREATING, len(draft.properties)))
        target.properties[name] = schema


def _identify(draft: Draft) -> None:
    """A write needs the id of what it changes, and the fields that the text names; one that creates gives the id."""
    identity = f"{draft.entity}_id"
    if draft.action in CREATING:
        if not draft.properties:
            draft.properties["description"] = {"type": "string", "minLength": 3, "description": "What it is for."}
    else:
        what = {"type": "string", "minLength": 3, "description": f"Id of the {spoken(draft.entity)}."}
        draft.properties = {identity: what, **draft.properties}
    draft.required = list(draft.properties)[:3]


def _reads(operations: Sequence[Operation], main: str, writes: int) -> list[Draft]:
    """A search for the main thing, its details, then lookups that the text itself asks for."""
    search = Draft("search", main, True, f"Finds {plural(spoken(main))} by name, number or other words.")
    search.properties = {
        "query": {"type": "string", "minLength": 2, "description": f"Words that identify the {spoken(main)}."},
        "max_results": {
            "type": "integer",
            "minimum": 1,
            "maximum": 50,
            "default": 10,
            "description": "At most so many.",
        },
    }
    search.required = ["query"]
    details = _lookup("get", main, f"Returns all data of a {spoken(main)} with its current status.")
    found = {search.name: search, details.name: details}
    for made in operations:
        if made.reads and made.entity != main and len(found) < max(2, _LEAST_TOOLS - writes + 1):
            why = made.step.sentence.text[:120].rstrip(".: ")
            purpose = f"Returns the {spoken(made.entity)} of a {spoken(main)}. {why}."
            draft = _lookup("get", made.entity, purpose, f"{main}_id")
            found.setdefault(draft.name, draft)
    extra = Draft("list", f"{main}_change", True, f"Lists what was changed on a {spoken(main)}, newest first.")
    extra.properties, extra.required = details.properties, details.required
    if len(found) + writes < _LEAST_TOOLS:
        found[extra.name] = extra
    return list(found.values())


def _lookup(action: str, entity: str, purpose: str, key: str | None = None) -> Draft:
    key = key or f"{entity}_id"
    draft = Draft(action, entity, True, purpose)
    draft.properties = {key: {"type": "string", "minLength": 3, "description": f"Id of the {spoken(key[:-3])}."}}
    draft.required = [key]
    return draft
