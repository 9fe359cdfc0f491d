"""Traces of the format or of the prompt inside a message: tags, chat-template tokens, hidden reasoning."""

import re
from collections.abc import Iterator

from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.prompts.tags import leaked_tag

CHECK = "leak"

_TEMPLATE_TOKEN = re.compile(r"<\|[a-z_]+\|>|</?tool_(?:call|response)>|\[/?INST\]")


def check(trajectory: Trajectory) -> Iterator[Finding]:
    """One finding per message that contains a tag of ours or a token of a chat template."""
    for index, message in enumerate(trajectory.messages):
        text = message.content or ""
        token = _TEMPLATE_TOKEN.search(text)
        if leaked := leaked_tag(text) or (token and token[0]):
            detail = f"{message.role} contains {leaked}"
            yield Finding(check=CHECK, severity=Severity.ERROR, detail=detail, message_index=index)
