"""What a model is trained on has no personal data of the source, in none of its parts."""

from gem_tasks.distill.row import clean
from gem_tasks.domain.trajectory import Trajectory
from tests.factories import make_segment, make_tool, say


def test_personal_data_is_replaced_alike_in_text_messages_and_tools():
    text = "Write to anna.schmidt@uni-muenster.de about loans."
    tool = make_tool("send").model_copy(update={"description": "Writes to anna.schmidt@uni-muenster.de."})
    made = Trajectory(tools=(tool,), messages=(say("user", "Ask anna.schmidt@uni-muenster.de."),))
    found, shown = clean(made, make_segment(text))
    address = shown.removeprefix("Write to ").removesuffix(" about loans.")
    assert address != "anna.schmidt@uni-muenster.de"
    assert found.messages[0].content == f"Ask {address}."
    assert found.tools[0].description == f"Writes to {address}."
    assert len(found.messages) == 1
