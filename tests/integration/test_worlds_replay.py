"""Played conversations against a replay of their steps in the confined engine."""

import json

import pytest

from gem_tasks.domain.trajectory import Message, ToolCall
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.played import Execution, Played
from gem_tasks.worlds.replay import replays
from gem_tasks.worlds.scenario import Event, Scenario
from gem_tasks.worlds.session import opened
from gem_tasks.worlds.steps import Call, Deed, Turn
from gem_tasks.worlds.task import Task, Variant, Wish
from gem_tasks.worlds.world import Tool, World

CODE = """
function add(state, args) {
  const id = nextId(state, "n");
  state.notes[id] = {text: args.text};
  return {id, by: state.by};
}
"""
WORLD = World(
    state={"notes": {}, "by": {"name": "Ada"}}, code=CODE, tools=(Tool(name="add", parameters={"type": "object"}),)
)
BUILT = Built(world=WORLD)
SCENARIO = Scenario(events={"renames": Event(code='state.by.name = "Grace";')})
TASK = Task(
    title="t", system="s", persona="p", wishes=(Wish(text="w", reveal="first"),), tables=("notes",),
    variants=(Variant(name="v", scenario=SCENARIO, reference=()),),
)  # fmt: skip
STEPS = (
    Turn(),
    Call(name="add", arguments={"text": "a"}),
    Deed(name="renames"),
    Turn(),
    Call(name="add", arguments={}),
)


@pytest.fixture(scope="module")
def played():
    with opened(WORLD, SCENARIO, seed=3) as session:
        results = [json.dumps(answer.result) for answer in session.take(STEPS) if answer.result is not None]
    one, two = ToolCall(id="1", name="add", arguments={"text": "a"}), ToolCall(id="2", name="add", arguments={})
    messages = (
        Message(role="system", content="s"),
        Message(role="user", content="u"),
        Message(role="assistant", tool_calls=(one,)),
        Message(role="tool", content=results[0], tool_call_id="1"),
        Message(role="assistant", content="a"),
        Message(role="user", content="u"),
        Message(role="assistant", tool_calls=(two,)),
        Message(role="tool", content=results[1], tool_call_id="2"),
        Message(role="assistant", content="b"),
    )
    execution = Execution(world=BUILT.world_id, task=0, variant="v", seed=3, steps=STEPS, reached=True)
    return Played(tools=(), messages=messages, execution=execution)


def changed(played, **execution):
    return played.model_copy(update={"execution": played.execution.model_copy(update=execution)})


def test_a_conversation_that_happened_replays_equal(played):
    assert replays(played, BUILT, TASK) == []


def test_an_altered_result_differs(played):
    messages = list(played.messages)
    messages[3] = messages[3].model_copy(update={"content": messages[3].content.replace("Ada", "Eve")})
    (found,) = replays(played.model_copy(update={"messages": tuple(messages)}), BUILT, TASK)
    assert found.startswith("call 1, add: the conversation has ") and '"Eve"' in found and '"Ada"' in found


def test_another_seed_or_a_missing_deed_differs(played):
    assert replays(changed(played, seed=4), BUILT, TASK)
    steps = tuple(step for step in played.execution.steps if not isinstance(step, Deed))
    (found,) = replays(changed(played, steps=steps), BUILT, TASK)
    assert found.startswith("call 2, add: ")


def test_other_steps_than_those_of_the_messages_are_found_without_the_engine(played):
    assert replays(changed(played, steps=played.execution.steps[:-1]), BUILT, TASK) == [
        "step 3: the conversation has add {}, the execution nothing"
    ]


def test_what_cannot_be_replayed_says_why(played):
    other = Built(world=WORLD.model_copy(update={"code": "function add("}))
    assert replays(played, other, TASK) == [f"it was played in the world {BUILT.world_id}, not in {other.world_id}"]
    assert replays(changed(played, world=other.world_id), other, TASK)[0].startswith("the world cannot be replayed: ")
    assert replays(changed(played, variant="x"), BUILT, TASK) == ["the task has no variant 'x'"]
    deed = (Deed(name="sings"), *played.execution.steps)
    assert "no deed 'sings'" in replays(changed(played, steps=deed), BUILT, TASK)[0]
