"""A whole simulation over real HTTP and in the confined engine: it replays equal, and the goal decides."""

import asyncio
import json

import pytest

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts import load
from gem_tasks.simulate.begun import begun
from gem_tasks.simulate.scene import Player, Players, Scene
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.played import Played
from gem_tasks.worlds.replay import replays
from gem_tasks.worlds.scenario import Event, Fault, Scenario
from gem_tasks.worlds.steps import Call, Deed, Turn
from gem_tasks.worlds.task import Condition, Task, Variant, Wish
from gem_tasks.worlds.world import IdFormat, Tool, World
from tests.integration.endpoint import answer, client_for, failing, serving

CODE = """
function book(state, args) {
  if (state.paid !== true) return fail("NOT_PAID", "The fee is not paid.");
  const id = nextId(state, "BK");
  state.bookings[id] = {id, boat: args.boat, hours: args.hours};
  return {id, boat: args.boat};
}"""
PARAMETERS = {
    "type": "object",
    "properties": {"boat": {"type": "string"}, "hours": {"type": "integer"}},
    "required": ["boat", "hours"],
    "additionalProperties": False,
}
WORLD = World(
    state={"bookings": {}, "paid": False}, code=CODE, tools=(Tool(name="book", parameters=PARAMETERS),),
    ids={"BK": IdFormat(format="BK-{n:4}", next=17)},
)  # fmt: skip
BOOK = Call(name="book", arguments={"boat": "Heron", "hours": 2})
VARIANT = Variant(
    name="busy",
    scenario=Scenario(
        events={"pays": Event(code="state.paid = true;")}, faults=(Fault(tool="book", kind="unavailable", times=1),)
    ),
    reference=(Turn(), Deed(name="pays"), Turn(), BOOK, BOOK),
)
TASK = Task(
    title="t", system="You rent boats.", persona="Terse.", wishes=(Wish(text="Heron for two hours", reveal="first"),),
    deeds={"pays": "You pay the fee."}, tables=("bookings",), variants=(VARIANT,),
)  # fmt: skip
FUNC = '<func>{"name": "book", "arguments": {"boat": "Heron", "hours": %d}}</func>'
TALK = {"user": ["Heron, 2 h.", "<deed>pays</deed>Paid.", "<stop>"], "assistant": [FUNC % 2, FUNC % 2, "Pay first."]}


def played(meanwhile=lambda play: None, task=TASK, **said):
    """The outcome of a conversation whose models say these things, one after the other."""
    lines = {role: list(words) for role, words in said.items()}

    def script(number, body):
        del number
        return failing(400, "does not support tools") if "tools" in body else answer(lines[body["model"]].pop(0))

    scene = Scene(
        world=Built(world=WORLD).world_id, task=task, index=0, variant="busy", seed=5,
        tools=(ToolSpec(name="book", description="Books a boat.", parameters=PARAMETERS),),
    )  # fmt: skip
    players = Players(
        assistant=Player(model="assistant"), user=Player(model="user"),
        form=load("simulate"), briefing=load("simulate.user"),
    )  # fmt: skip

    async def run():
        async with serving(script) as (_, url), client_for(url) as client:
            with begun(scene, players, Built(world=WORLD), segment_id="s") as play:
                while play.request:
                    meanwhile(play)
                    play.answered(await client.complete(play.request))
            return play.outcome

    return asyncio.run(run())


@pytest.fixture(scope="module")
def good():
    return played(user=TALK["user"], assistant=[*TALK["assistant"], FUNC % 2, "Booked."])


def test_results_come_from_the_world_and_a_replay_gives_them_again(good):
    assert (good.kind, good.reason, good.detail) == ("accepted", None, "")
    conversation = Played.model_validate_json(good.payload)
    results = [json.loads(message.content) for message in conversation.messages if message.role == "tool"]
    assert [result.get("id") or result["error"]["code"] for result in results] == ["UNAVAILABLE", "NOT_PAID", "BK-0017"]
    assert conversation.execution.steps == (Turn(), BOOK, BOOK, Deed(name="pays"), Turn(), BOOK)
    assert conversation.execution.reached
    assert replays(conversation, Built(world=WORLD), TASK) == []


def test_a_conversation_with_another_result_misses_the_goal():
    outcome = played(user=TALK["user"], assistant=[*TALK["assistant"], FUNC % 3, "Booked."])
    assert (outcome.kind, outcome.reason) == ("rejected", "goal_missed")
    assert "hours" in outcome.detail
    conversation = Played.model_validate_json(outcome.payload)
    assert not conversation.execution.reached
    assert replays(conversation, Built(world=WORLD), TASK) == []


def test_consent_that_only_the_words_show_is_left_to_the_judge():
    task = TASK.model_copy(update={"conditions": (Condition(kind="confirmed", tool="book"),)})
    ordered = "<deed>pays</deed>I paid. If the Heron is free, book it for two hours."
    outcome = played(task=task, user=[ordered, "<stop>"], assistant=[FUNC % 2, FUNC % 2, "Booked."])
    assert (outcome.kind, outcome.reason) == ("accepted", None)
    execution = Played.model_validate_json(outcome.payload).execution
    assert (execution.reached, len(execution.reasons)) == (True, 1)
    missed = played(task=task, user=[ordered, "<stop>"], assistant=[FUNC % 3, FUNC % 3, "Booked."])
    assert (missed.kind, missed.reason) == ("rejected", "goal_missed")


def test_a_world_that_answers_otherwise_in_a_replay_is_at_fault():
    def altered(play):
        play._world._told[1:2] = [{"id": "BK-9999"}] if len(play._world._told) > 1 else []

    outcome = played(altered, user=["Heron.", "<stop>"], assistant=[FUNC % 2, "No."])
    assert (outcome.kind, outcome.reason) == ("rejected", "world_fault")
    assert outcome.detail == "not_repeatable: step 1 of 2 has another result in a replay"
