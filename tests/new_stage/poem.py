"""A stage that nobody needs: the text as verse."""

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record, Topic
from gem_tasks.prompts import Prompt
from gem_tasks.prompts.tags import TagError, one
from gem_tasks.stages.base import Stage


class Verse(Value):
    """Output of the stage."""

    lines: tuple[str, ...]


class Poem(Stage):
    """Accepts with a `Verse`."""

    name = "poem"
    version = 1
    sampling = Sampling(temperature=1, max_tokens=256)
    needs = ("filter",)
    asks_for = ("<poem>",)
    output = Verse

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """The filter's summary, then the text."""
        return prompt.messages(summary=record.needed("filter", Topic).summary, text=record.segment.text)

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the one tag."""
        try:
            return Accepted.of(Verse(lines=tuple(one(text, "poem").splitlines())))
        except TagError as error:
            return Malformed(complaint=str(error))
