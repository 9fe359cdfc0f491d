"""Filter: is it a procedure of several steps with a system, a device or an organisation; and what about?"""

from gem_tasks.corpus.language import detect
from gem_tasks.teacher.analyse import Analysis, analyse
from gem_tasks.teacher.topics import domains, platform, task_category
from gem_tasks.teacher.words import SYSTEM_WORDS, words_of

_MIN_WORDS = 40
_MIN_STEPS = 3
_MAX_CODE_SHARE = 0.5
_MIN_SYSTEM_SHARE = 0.012
"""Share of words that name a system, a device or an organisation; cooking stays below, office work above."""
_ORDERED_SHARE = 0.1
"""Numbered instructions among the sentences: a how-to. Measured in docs/benchmarks.md."""
_PROSE_SHARE = 0.4
"""Without numbers the instructions must dominate."""


def answer(sections: dict[str, str], seed: int) -> str:
    """The tags of `prompts/filter.md`."""
    del seed
    text = sections.get("text", "")
    words = words_of(text)
    if reason := _rejection(text, words):
        return f"<multi_step>False</multi_step>\n<reason>{reason}</reason>"
    return "\n".join(
        (
            "<multi_step>True</multi_step>",
            f"<summary>{_summary(text)}</summary>",
            f"<platform>{platform(words)}</platform>",
            f"<domain>{', '.join(domains(words))}</domain>",
            f"<task>{task_category(words)}</task>",
        )
    )


def _rejection(text: str, words: list[str]) -> str | None:
    """The reason for False, or None."""
    if len(words) < _MIN_WORDS:
        return "unreadable" if not words else "too_few_steps"
    if detect(text) not in ("en", None):
        return "unsupported_language"
    found = analyse(text)
    if found.code_share > _MAX_CODE_SHARE:
        return "source_code"
    if len(found.steps) < _MIN_STEPS:
        return "not_procedural" if not found.steps else "too_few_steps"
    if not _is_procedure(found):
        return "not_procedural"
    system = sum(word in SYSTEM_WORDS for word in words) / len(words)
    return "no_system" if system < _MIN_SYSTEM_SHARE else None


def _is_procedure(found: Analysis) -> bool:
    total = max(1, len(found.sentences))
    ordered = sum(step.sentence.ordered for step in found.steps)
    if ordered >= _MIN_STEPS and ordered / total > _ORDERED_SHARE:
        return True
    return len(found.steps) > _MIN_STEPS and len(found.steps) / total > _PROSE_SHARE


def _summary(text: str) -> str:
    """The title or first heading says what it is about, the first and last step how it goes."""
    found = analyse(text)
    first, last = found.steps[0], found.steps[-1]
    title = next((line.strip("# *").strip() for line in text.split("\n") if line.strip("# *").strip()), "")
    steps = f"from “{_short(first.sentence.text)}” to “{_short(last.sentence.text)}”"
    return f"{_short(title)}: {len(found.steps)} steps {steps}.".replace("<", "‹").replace(">", "›")


def _short(text: str) -> str:
    text = text.rstrip(".:; ")
    return text if len(text) <= 80 else text[:77].rsplit(" ", 1)[0] + "…"
