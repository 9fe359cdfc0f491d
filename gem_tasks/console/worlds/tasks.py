"""Tasks for readers: wishes, and variants with their events, faults and references in words."""

from gem_tasks.console.worlds.tables import short
from gem_tasks.domain.base import Json, Value
from gem_tasks.worlds.scenario import Event, Fault
from gem_tasks.worlds.steps import Call, Deed, Step
from gem_tasks.worlds.task import Condition, Task, Variant, Wish

_ARGUMENTS = 300


class EventView(Value):
    """An event."""

    name: str
    when: str
    code: str


class VariantView(Value):
    """A variant."""

    name: str
    ending: str
    events: tuple[EventView, ...]
    faults: tuple[str, ...]
    reference: tuple[tuple[str, str], ...]
    """What happens, and its arguments."""


class TaskView(Value):
    """A task."""

    title: str
    system: str
    persona: str
    wishes: tuple[Wish, ...]
    knows: tuple[str, ...]
    deeds: dict[str, str]
    tables: tuple[str, ...]
    volatile: tuple[str, ...]
    conditions: tuple[str, ...]
    variants: tuple[VariantView, ...]


def task_view(task: Task) -> TaskView:
    """The task in words."""
    return TaskView(
        title=task.title,
        system=task.system,
        persona=task.persona,
        wishes=task.wishes,
        knows=task.knows,
        deeds=task.deeds,
        tables=task.tables,
        volatile=task.volatile,
        conditions=tuple(map(_condition, task.conditions)),
        variants=tuple(map(_variant, task.variants)),
    )


def _variant(variant: Variant) -> VariantView:
    events = (
        EventView(name=name, when=_when(event), code=event.code) for name, event in variant.scenario.events.items()
    )
    return VariantView(
        name=variant.name,
        ending=variant.ending,
        events=tuple(events),
        faults=tuple(map(_fault, variant.scenario.faults)),
        reference=tuple(map(_step, variant.reference)),
    )


def _step(step: Step) -> tuple[str, str]:
    if isinstance(step, Call):
        return step.name, short(step.arguments, _ARGUMENTS)
    return (f"the user does {step.name}", "") if isinstance(step, Deed) else ("the user speaks", "")


def _when(event: Event) -> str:
    trigger = event.trigger
    if trigger is None:
        return "a deed of the user"
    needs = f", once {' and '.join(sorted(trigger.needs))} happened" if trigger.needs else ""
    if trigger.turn:
        return f"before message {trigger.turn} of the user{needs}"
    return f"{trigger.when} {_call(str(trigger.tool), trigger.arguments)}{needs}"


def _fault(fault: Fault) -> str:
    needs = f", once {' and '.join(sorted(fault.needs))} happened" if fault.needs else ""
    return f"{fault.kind}: {_call(fault.tool, fault.arguments)}, up to {fault.times} times{needs}"


def _condition(condition: Condition) -> str:
    call = _call(condition.tool, condition.arguments)
    words = {
        "confirmed": f"{call} only after the user confirmed it",
        "after": f"{call} only after {condition.other} succeeded",
        "never": f"never {call}",
        "at_most": f"{call} at most {condition.count} times",
    }
    return words[condition.kind]


def _call(tool: str, arguments: Json) -> str:
    return f"{tool} with {short(arguments, _ARGUMENTS)}" if arguments else tool
