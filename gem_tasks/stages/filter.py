"""Stage 1: decides whether the text teaches a multi-step operation, and its topic (paper section 3.2, stage 1)."""

from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record, Topic
from gem_tasks.prompts import Prompt
from gem_tasks.prompts.tags import TagError, one, strip_thinking
from gem_tasks.stages import vocabulary
from gem_tasks.stages.base import Stage


class Filter(Stage):
    """Accepts with a `Topic`; rejects with the model's reason. Rejects near duplicates, and texts that a prefilter
    finds hopeless, without a call.

    A prefilter is not part of this stage's recipe; it has a separate one, which its rejections name: docs/adr/0012.
    """

    name = "filter"
    version = 2
    sampling = Sampling(temperature=0, max_tokens=1024, least=128)
    asks_for = ("<multi_step>", "<reason>", "<summary>", "<platform>", "<domain>", "<task>")
    output = Topic

    def precheck(self, record: Record) -> Rejected | None:
        """Rejects near duplicates of a text that was already judged, and texts below the prefilter's threshold."""
        if of := record.segment.near_duplicate_of:
            return Rejected(reason="near_duplicate", detail=f"nearly the same text as segment {of}")
        scored = record.prefilter_score
        if scored and scored.rejects and not scored.share:
            detail = f"score {scored.score:.4f} is below {scored.threshold:.4f} of prefilter {scored.prefilter}"
            return Rejected(reason="prefilter", detail=detail, measures=scored.measures)
        return None

    def request(self, record: Record, prompt: Prompt) -> tuple[ChatMessage, ...]:
        """Sends the title, if there is one, and the text."""
        segment = record.segment
        text = f"{segment.title}\n\n{segment.text}" if segment.title else segment.text
        return prompt.messages(text=text)

    def parse(self, text: str, record: Record) -> Accepted | Rejected | Malformed:
        """Reads the tags; a value outside the paper's vocabulary is malformed."""
        try:
            verdict = _read(strip_thinking(text))
        except TagError as error:
            return Malformed(complaint=str(error))
        scored = record.prefilter_score
        return verdict.model_copy(update={"measures": scored.measures}) if scored else verdict


def _read(text: str) -> Accepted | Rejected:
    verdict = one(text, "multi_step").lower()
    if verdict == "false":
        reason = one(text, "reason")
        _known("reason", reason, vocabulary.REJECTIONS)
        return Rejected(reason=reason)
    if verdict != "true":
        raise TagError(f"<multi_step> must be True or False, not {verdict[:40]!r}")
    domains = tuple(dict.fromkeys(name.strip() for name in one(text, "domain").split(",") if name.strip()))
    topic = Topic(
        summary=one(text, "summary"), platform=one(text, "platform"), domains=domains, task_category=one(text, "task")
    )
    if not topic.summary or not domains:
        raise TagError("<summary> and <domain> may not be empty")
    _known("platform", topic.platform, vocabulary.PLATFORMS)
    _known("task", topic.task_category, vocabulary.TASK_CATEGORIES)
    for domain in domains:
        _known("domain", domain, vocabulary.DOMAINS)
    return Accepted.of(topic)


def _known(tag: str, value: str, allowed: frozenset[str]) -> None:
    if value not in allowed:
        raise TagError(f"<{tag}> {value[:60]!r} is not one of: {', '.join(sorted(allowed))}")
