"""Whatever models answer, a conversation ends with an outcome that can be stored, and no answer makes it raise."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gem_tasks.domain.chat import Completion, FunctionCall
from gem_tasks.domain.outcome import Outcome
from gem_tasks.simulate.scene import Caps
from gem_tasks.worlds.played import Played
from tests.unit.simulate.shop import CANCEL, FIND, Shop, Verdict, begun

PIECES = st.sampled_from(
    [
        FIND, CANCEL, "<func>", "</func>", "<func>{}</func>", '<func>{"name": "", "arguments": {}}</func>',
        "<tool>{}</tool>",
        "<deed>rings</deed>", "<deed>", "<stop>", "</stop>", "<user>", "</user>", "<assistant>", "<think>", "</think>",
        "Yes.", " ", "\n", "\ud83d", "\u202e", "\x00", "[form]", "NaN",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=5).map("".join) | st.text(max_size=20)
ARGUMENTS = st.sampled_from(["", "{}", "{", "[]", "null", '{"x": "\\ud83d"}', '{"x": NaN}', "5", '{"x": "<stop>"}'])
CALLS = st.builds(
    FunctionCall, id=st.sampled_from(["", "a", "b"]), name=TEXTS | st.just("find_order"), arguments=ARGUMENTS
)
ANSWERS = st.builds(
    Completion,
    text=TEXTS,
    finish_reason=st.sampled_from(["stop", "stop", "stop", "tool_calls", "length", "content_filter", ""]),
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
)


@settings(max_examples=25, deadline=None)
@given(answers=st.lists(ANSWERS, min_size=1, max_size=8), native=st.booleans(), reached=st.booleans())
def test_any_answers_lead_to_an_outcome(answers, native, reached):
    simulation = begun(Shop(), Verdict(reached), Caps(calls=6, turns=4, repeats=2), native=native)
    asked = 0
    while simulation.request:
        assert simulation.request.body
        assert simulation.request.key
        simulation.answered(answers[asked % len(answers)])
        asked += 1
        assert asked < 60
    outcome = Outcome.model_validate_json(simulation.outcome.model_dump_json())
    assert (outcome.kind == "accepted") <= reached
    if outcome.payload:
        played = Played.model_validate_json(outcome.payload)
        assert played.messages[-1].role == "assistant"
        assert not played.messages[-1].tool_calls
        called = [call.id for message in played.messages for call in message.tool_calls]
        assert called == [message.tool_call_id for message in played.messages if message.role == "tool"]
