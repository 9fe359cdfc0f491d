"""The request and the answer of a trajectory synthesizer, in training and in use.

The answer has the form of the refine stage (`<toolsets>`, then `<trajectory>`), so the same parser and the same checks
read it. Both directions are here, because a model that is trained on one prompt and called with another is of little
use.
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
    """The answer that the model learns, without thoughts: its prompt asks for none."""
    messages = (message.model_copy(update={"reasoning": None}) for message in trajectory.messages)
    tools, turns = render_tools(trajectory.tools), render_trajectory(messages)
    return f"<toolsets>{tools}</toolsets>\n{turns}"


def read(answer: str, *, thoughts: bool = False) -> Trajectory:
    """The inverse of `write`, strict; `thoughts`: see `parse_trajectory`.

    Raises:
        TagError: the answer has another format.
    """
    body = strip_thinking(answer)
    return parse_trajectory(body, parse_tools(one(body, "toolsets"), "<toolsets>"), thoughts=thoughts)
