"""Private thoughts under GEM_REASONING: what is asked, what is read, and that nothing changes where they are off."""

import pytest

from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.outcome import Accepted
from gem_tasks.domain.trajectory import Draft, Message, Trajectory
from gem_tasks.pipeline.recipes import Chain, reasons
from gem_tasks.prompts import load, synthesis
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.settings import Settings
from tests.factories import TOOLS, make_draft, make_record, make_trajectory

WRITERS = ("generate", "refine", "revise")
NOTE = load("thoughts").text


def chain(reasoning):
    return Chain(Settings(reasoning=reasoning))


def thinking(trajectory):
    """The conversation with a thought before each turn of the assistant but the last."""
    *messages, last = trajectory.messages
    changed = [
        message.model_copy(update={"reasoning": "I look."}) if message.role == "assistant" else message
        for message in messages
    ]
    return trajectory.model_copy(update={"messages": (*changed, last)})


def answer(stage, tag="thought"):
    turns = render_trajectory(thinking(make_trajectory()).messages).replace("thought>", f"{tag}>")
    return turns if stage == "generate" else f"<toolsets>{render_tools(TOOLS)}</toolsets>\n{turns}"


def record():
    refined = thinking(make_trajectory())
    draft = Draft(tools=refined.tools, messages=refined.messages)
    return make_record(generate=draft, refine=refined, revise=refined)


def test_only_stages_that_write_or_judge_conversations_change_and_the_setting_says_why():
    off, ask, keep = map(chain, ("off", "ask", "keep"))
    for other in (ask, keep):
        changed = [
            reasons(other.by_stage[name], recipe, first=False)
            for name, recipe in off.by_stage.items()
            if other.by_stage[name].recipe_id != recipe.recipe_id
        ]
        assert changed == ["reasoning", *["reasoning + upstream"] * 4]
    assert ask.id_of("generate") != keep.id_of("generate")
    assert all("reasoning" not in recipe.params for recipe in off.recipes)


@pytest.mark.parametrize("name", WRITERS)
def test_ask_puts_the_note_below_the_prompt_and_keep_does_not(name):
    prompt = load(name)
    asked = {how: chain(how).stage(name).request(record(), prompt) for how in ("off", "ask", "keep")}
    assert asked["off"][0].content == asked["keep"][0].content == prompt.text
    assert asked["ask"][0].content == f"{prompt.text.rstrip()}\n\n{NOTE}"
    assert asked["off"][1] == asked["ask"][1]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("tag", ["thought", "think"])
def test_thoughts_are_read_where_they_are_on_and_stray_tags_elsewhere(name, tag):
    for how in ("ask", "keep"):
        read = chain(how).stage(name).parse(f"<think>As the writer.</think>{answer(name, tag)}", record())
        assert isinstance(read, Accepted)
        assert Trajectory.model_validate_json(read.payload.replace(',"plan":null', "")) == thinking(make_trajectory())
    assert "contains <think>" in chain("off").stage(name).parse(answer(name, "think"), record()).complaint


def test_conversations_without_thoughts_are_the_bytes_that_they_were():
    assert "reasoning" not in make_draft().model_dump_json()
    assert Message(role="assistant", content="x", reasoning="y").model_dump()["reasoning"] == "y"
    assert "reasoning_content" not in Message(role="assistant", content="x").to_openai()


def test_the_judge_sees_thoughts_with_a_note_and_counts_them():
    ask = chain("ask").stage("validate")
    system, user = ask.request(record(), load("validate"))
    assert system.content.endswith(load("thoughts.judge").text)
    assert "<thought>I look.</thought>" in user.content
    rules = ", ".join(f'{{"rule": "R{at}", "pass": 1}}' for at in range(1, 6))
    verdict = ask.parse(f'{{"rules": [{rules}], "findings": []}}', record())
    assert (verdict.measures["thoughts"], verdict.measures["assistant_turns"]) == (4, 5)
    assert isinstance(Judgement.model_validate_json(verdict.payload), Judgement)


def test_a_synthesizer_learns_conversations_without_thoughts():
    assert synthesis.write(thinking(make_trajectory())) == synthesis.write(make_trajectory())
