"""Stage 3: a whole conversation from text, workflow and tools, in one pass (paper section 3.2, stage 3).

Beyond the paper: a plan says what this one is to be like, because a model that is free in it writes one plot.
"""

from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.indented import indented
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.trajectory import Draft
from gem_tasks.domain.workflow import Extraction, Workflow
from gem_tasks.plans import render
from gem_tasks.prompts import Prompt, dialogue
from gem_tasks.prompts.dialogue import parse_trajectory, render_tools
from gem_tasks.prompts.tags import TagError, strip_thinking
from gem_tasks.stages.base import Stage


class Generate(Stage):
    """Accepts with a `Draft` over the workflow's tools; whether it is sound is the validation's business."""

    name = "generate"
    version = 3
    sampling = Sampling(temperature=0.8, max_tokens=16384, least=1024)
    needs = ("extract",)
    asks_for = dialogue.TAGS
    output = Draft

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Tools, workflow and plan, then the text."""
        workflow = main_workflow(record)
        planned = {"plan": render(record.plan, draft=True)} if record.plan else {}
        return prompt.messages(
            tools=render_tools(workflow.tools), workflow=render_workflow(workflow), **planned, text=record.segment.text
        )

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the turns; the tools are those of the workflow."""
        try:
            tools = main_workflow(record).tools
            found = parse_trajectory(strip_thinking(text), tools, thoughts=self.reads_thoughts)
        except TagError as error:
            return Malformed(complaint=str(error))
        return Accepted.of(Draft(tools=found.tools, messages=found.messages, plan=record.plan))


def main_workflow(record: Record) -> Workflow:
    """The workflow of the trajectory: the first one; see `Take.of`."""
    return record.needed("extract", Extraction).workflows[0]


def render_workflow(workflow: Workflow) -> str:
    """A workflow without its tools, for the writer of a conversation or a world."""
    data = workflow.model_dump(exclude={"tools", "execution_graph"})
    data["execution_graph"] = str(workflow.execution_graph)
    return indented(data, 1)
