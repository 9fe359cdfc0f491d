"""A trained synthesizer in the place of extract, generate and refine: one call for a conversation with its tools.

An answer that cannot be used is a refusal and not a failure, and there is no second request: the model was trained on
one, and the text then goes through the other stages.
"""

from gem_tasks.checks.fidelity import named_in
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.synthesis import Route, Synthesized
from gem_tasks.errors import ErrorClass
from gem_tasks.prompts import Prompt, synthesis
from gem_tasks.prompts.tags import TagError
from gem_tasks.stages.base import Stage

ABOUT = 0.4
"""Least share of the words in the tools' names that the text must have. A fluent conversation about something else
passes the other checks. A strong model's 20 have 0.5 to 1 for their own texts; 93 % have less than this for others."""


class Synthesize(Stage):
    """Accepts with a `Synthesized`; rejects texts that go through the other stages without a call."""

    name = "synthesize"
    version = 2
    sampling = Sampling(temperature=0.7, max_tokens=8192, least=1024)
    needs = ("filter",)
    asks_for = synthesis.TAGS
    output = Synthesized

    def precheck(self, record: Record) -> Rejected | None:
        """Rejects a text that the synthesizer may not have."""
        route = _route(record)
        if route.way != "pipeline":
            return None
        return Rejected(reason=route.reason, detail=route.detail, measures=route.measures)

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """The request that the model was trained on."""
        return prompt.messages(text=record.segment.text)

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the tools and the turns."""
        try:
            found = synthesis.read(text)
        except TagError as error:
            return Malformed(complaint=str(error))
        route = _route(record)
        share = named_in(record.segment.text, (tool.name for tool in found.tools))
        if share < ABOUT:
            detail = f"the text has {share:.0%} of the words in the names of the tools"
            return Rejected(reason="off_topic", detail=detail, measures=route.measures)
        return Accepted.of(Synthesized(tools=found.tools, messages=found.messages, way=route.way, group=route.group))

    def refusal(self, error_class: ErrorClass, detail: str, record: Record) -> Rejected | None:
        """Refuses, with the class as the reason."""
        return Rejected(reason=str(error_class), detail=detail, measures=_route(record).measures)


def _route(record: Record) -> Route:
    if record.route is None:
        raise ValueError(f"{record.segment.segment_id} has no route")
    return record.route
