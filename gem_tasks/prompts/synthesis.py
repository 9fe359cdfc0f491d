"""What a trajectory synthesizer is asked and what it answers, in training and in use alike.

The answer has the form of the refine stage (`<toolsets>`, then `<trajectory>`), so the same parser and the same checks
read it. One place for both directions: a model that is trained on one prompt and asked with another is worth little.
"""

from gem_tasks import prompts
from gem_tasks.domain.chat import ChatMessage
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.prompts import dialogue
from gem_tasks.prompts.dialogue import parse_tools, parse_trajectory, render_tools, render_trajectory
from gem_tasks.prompts.tags import one, strip_thinking

PROMPT = "synthesize"
TAGS = ("<toolsets>", *dialogue.TAGS)


def ask(text: str) -> tuple[ChatMessage, ChatMessage]:
    """The request for one text."""
    return prompts.load(PROMPT).messages(text=text)


def write(trajectory: Trajectory) -> str:
    """The answer that is learnt."""
    tools, turns = render_tools(trajectory.tools), render_trajectory(trajectory.messages)
    return f"<toolsets>{tools}</toolsets>\n{turns}"


def read(answer: str) -> Trajectory:
    """The inverse of `write`, strict.

    Raises:
        TagError: it is not of that form.
    """
    body = strip_thinking(answer)
    return parse_trajectory(body, parse_tools(one(body, "toolsets"), "<toolsets>"))
