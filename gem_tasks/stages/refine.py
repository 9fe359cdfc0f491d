"""Stage 4: writes a harder and richer version of the conversation (paper section 3.3).

Unlike in the paper, the stage sees the source text, and must not contradict it.
"""

from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.trajectory import Draft, Trajectory
from gem_tasks.plans import render
from gem_tasks.prompts import Prompt, synthesis
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.prompts.tags import TagError
from gem_tasks.stages.base import Stage


class Refine(Stage):
    """Accepts with a `Trajectory` over a separate, larger set of tools."""

    name = "refine"
    version = 3
    sampling = Sampling(temperature=0.8, max_tokens=24576, least=1536)
    needs = ("generate",)
    asks_for = synthesis.TAGS
    output = Trajectory

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Tools, draft and its plan, then the text."""
        draft = record.needed("generate", Draft)
        planned = {"plan": render(draft.plan)} if draft.plan else {}
        return prompt.messages(
            tools=render_tools(draft.tools),
            trajectory=render_trajectory(draft.messages),
            **planned,
            text=record.segment.text,
        )

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the full set of tools and the turns."""
        try:
            return Accepted.of(synthesis.read(text, thoughts=self.reads_thoughts))
        except TagError as error:
            return Malformed(complaint=str(error))
