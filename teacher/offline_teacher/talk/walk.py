"""A conversation along an execution graph: for every step what is missing is asked, then confirmed, called, told."""

from collections.abc import Iterable, Sequence

from offline_teacher.reading import english
from offline_teacher.talk import errors, facts, phrases, questions
from offline_teacher.talk.grounding import Leaf
from offline_teacher.talk.script import Call
from offline_teacher.talk.state import Step, Walk
from offline_teacher.talk.tools import Tool, same_thing
from offline_teacher.talk.world import Record

_MOST_TOOLS = 14


def run(walk: Walk, names: Iterable[str]) -> None:
    """One node of the graph: everything that can be called together, what it needs before it."""
    tools = [walk.box.tools[name] for name in names if name in walk.box.tools]
    fresh = [tool for tool in tools if tool.name not in walk.done and tool.name not in walk.trying]
    for tool in fresh:
        walk.trying.add(tool.name)
        _before(walk, tool)
    steps = [
        Step(tool, made)
        for tool in fresh[:4]
        if tool.name not in walk.done and (made := walk.arguments(tool)) is not None
    ]
    writes = [step for step in steps if step.tool.kind in ("create", "change")]
    reads = [step for step in steps if step not in writes]
    if reads:
        _perform(walk, reads)
    for step in writes:
        _perform(walk, [step])
    walk.trying.difference_update(tool.name for tool in fresh)


def _before(walk: Walk, tool: Tool) -> None:
    """Calls first what the workflow requires and what delivers the ids."""
    wanted = list(walk.requires.get(tool.name, []))
    for param in tool.params:
        if param.entity and param.required and not _known(walk, param.entity):
            wanted += [other.name for other in walk.box.producers(param.entity)][:1]
    for name in wanted:
        if name not in walk.done and len(walk.done) < _MOST_TOOLS:
            run(walk, [name])


def _known(walk: Walk, entity: str) -> bool:
    """Whether a result or the user has already given the id of such a thing."""
    found = [record for name, record in walk.world.current.items() if same_thing(name, entity)]
    return any(walk.script.grounds.has(record.id) for record in found)


def _perform(walk: Walk, steps: list[Step]) -> None:
    """Asks, warns, confirms, calls and tells, for steps that go into one turn."""
    missing = _missing(walk, steps)
    final = next((step for step in steps if step.tool.final), None)
    at_once = final is not None and 0 < len(missing) <= 2 and walk.rng.random() < 0.5
    if missing:
        questions.ask(walk, steps, missing, final if at_once else None)
    if final is not None and not at_once:
        questions.confirm(walk, final)
    failing = len(walk.done) >= walk.error_at and len(steps) == 1 and walk.error_at >= 0
    if failing:
        walk.error_at = -1
        errors.fail_first(walk, steps[0])
    make_calls(walk, steps)


def _missing(walk: Walk, steps: Sequence[Step]) -> list[Leaf]:
    return [leaf for step in steps for leaf in walk.script.unsaid(step.tool.spec, step.arguments)]


def make_calls(walk: Walk, steps: Sequence[Step]) -> None:
    """Calls, takes in the answers, and holds back what there is to tell."""
    calls = [
        Call(step.tool.spec, step.arguments, step.response or walk.world.answer(step.tool, step.arguments))
        for step in steps
    ]
    walk.script.call(*calls)
    for step, call in zip(steps, calls, strict=True):
        walk.done.append(step.tool.name)
        record = _concerned(walk, step, call)
        walk.script.hold(facts.reported(step.tool, step.arguments, call.response, record, walk.world))
    if len(steps) == 1 and steps[0].tool.kind == "find":
        _choose(walk, steps[0], calls[0])


def _concerned(walk: Walk, step: Step, call: Call) -> Record | None:
    if step.tool.kind == "create":
        return next((one for one in walk.world.records if call.response.get(one.key) == one.id), None)
    return walk.world.referred(step.tool, step.arguments)


def _choose(walk: Walk, step: Step, call: Call) -> None:
    """Two look-alikes: the user has to say which."""
    rows = facts.rows_of(call.response)
    record = walk.world.record(step.tool.noun or "record")
    row = next((row for row in rows if row.get(record.key) == record.id), None)
    others = [other for other in rows if other is not row]
    if row is None or not others:
        return
    differing = [
        name
        for name in row
        if name != record.key and isinstance(row[name], str) and all(other.get(name) != row[name] for other in others)
    ]
    walk.script.assistant(walk.rng.choice(("Which one do you mean?", "Which of them is it?")))
    if differing:
        name = walk.rng.choice(differing)
        walk.script.user(f"The one with {english.spoken(name)} {phrases.value(row[name])}.")
    else:
        walk.script.user(f"{record.id}, please.")
