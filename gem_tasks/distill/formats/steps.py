"""Single decisions for reinforcement learning: the state before the assistant calls tools, and the calls it made.

A reward can compare names and arguments, which an answer in words does not allow; so only turns with calls are states.
"""

from gem_tasks.distill.formats.conversation import Conversation, called, calls, dump
from gem_tasks.distill.formats.openai_messages import trl
from gem_tasks.domain.base import Json


def steps(found: Conversation) -> list[Json]:
    """A row for every turn with calls.

    Each has `prompt` (messages with arguments as objects), `tools`, `ground_truth` (a JSON list of `name` and
    `arguments`), `step` of `steps`, and `trajectory_id`.
    """
    row = trl(found)
    places = [place for place, message in enumerate(found.messages) if calls(message)]
    return [
        {
            "prompt": row["messages"][:place],
            "tools": row["tools"],
            "ground_truth": dump([called(call) for call in calls(found.messages[place])]),
            "step": step,
            "steps": len(places),
            "trajectory_id": str(found.about.get("trajectory_id", "")),
        }
        for step, place in enumerate(places, 1)
    ]
