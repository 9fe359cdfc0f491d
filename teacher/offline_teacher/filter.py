"""Filter: is it a procedure of several steps with a system, a device or an organisation; and what about?

Decides by form: instructions and where they stand, against signs of stories, concepts, reference and source code.
Nothing here knows a product or a source; `benchmarks/teacher_filter.py` measures it.
"""

import re
from collections import Counter
from itertools import groupby

from offline_teacher.reading.analyse import Analysis, Step, analyse
from offline_teacher.reading.language import is_english
from offline_teacher.reading.topics import domains, platform, task_category
from offline_teacher.reading.words import HAND_WORDS, PAST_WORDS, SYSTEM_WORDS, words_of

_MIN_WORDS = 40
_MIN_LETTERS = 0.5
"""Share of letters and spaces; below it is binary, mojibake or numbers."""
_MIN_STEPS = 3
_MAX_CODE_SHARE = 0.5
_MIN_SYSTEM_SHARE = 0.012
"""Share of words that name a system, a device or an organisation; cooking stays below, office work above."""
_MAX_PAST_SHARE = 0.035
"""Share of words in the past tense of telling: `was`, `said`; instructions stay far below."""
_TITLE_SAYS_NO = re.compile(
    r"\b(?:overview|introduction|about|faq|frequently asked|what is|what are|understanding|concepts?|reference|"
    r"release notes|glossary|best practices|report\)|examples?|history|design details|rationale)\b",
    re.IGNORECASE,
)


def answer(sections: dict[str, str], seed: int) -> str:
    """The tags of `prompts/filter.md`."""
    del seed
    text = sections.get("text", "")
    words = words_of(text)
    found = analyse(text)
    if reason := _rejection(text, words, found):
        return f"<multi_step>False</multi_step>\n<reason>{reason}</reason>"
    return "\n".join(
        (
            "<multi_step>True</multi_step>",
            f"<summary>{_summary(text, found)}</summary>",
            f"<platform>{platform(words)}</platform>",
            f"<domain>{', '.join(domains(words))}</domain>",
            f"<task>{task_category(words)}</task>",
        )
    )


def _rejection(text: str, words: list[str], found: Analysis) -> str | None:
    """The reason for False, or None."""
    if not _readable(text):
        return "unreadable"
    steps = [step for step in found.steps if not step.sentence.note]
    if found.code_share > _MAX_CODE_SHARE and _ordered(steps) < _MIN_STEPS:
        return "source_code"
    if not is_english(text):
        return "unsupported_language"
    if len(words) < _MIN_WORDS:
        return "too_few_steps" if words else "unreadable"
    if len(steps) < _MIN_STEPS:
        return _why_no_steps(found, steps)
    if not _is_procedure(_title(text), words, found, steps):
        return "not_procedural"
    return None if _has_system(words) else "no_system"


def _readable(text: str) -> bool:
    sample = text[:20_000].strip()
    usual = sum(character.isalpha() or character.isspace() for character in sample)
    return bool(sample) and "\x00" not in sample and usual >= _MIN_LETTERS * len(sample) and sample.count("\ufffd") < 20


def _why_no_steps(found: Analysis, steps: list[Step]) -> str:
    if found.table_share > 0.5:
        return "reference_list"
    return "too_few_steps" if steps else "not_procedural"


def _is_procedure(title: str, words: list[str], found: Analysis, steps: list[Step]) -> bool:
    """Weighs numbered instructions, unnumbered ones standing together, and what the title promises."""
    if sum(word in PAST_WORDS for word in words) > _MAX_PAST_SHARE * len(words):
        return False
    total = max(1, len(found.sentences))
    concept = bool(_TITLE_SAYS_NO.search(title))
    ordered, share = _ordered(steps), len(steps) / total
    if ordered >= _MIN_STEPS and (ordered / total > 0.1 or _longest_run(found, steps) > _MIN_STEPS):
        return True
    if found.code_share > 0.25:
        return False
    return len(steps) > _MIN_STEPS and share > (0.55 if concept else 0.4)


def _ordered(steps: list[Step]) -> int:
    return sum(step.sentence.ordered and step.sentence.first for step in steps)


def _longest_run(found: Analysis, steps: list[Step]) -> int:
    """Most first sentences of numbered items in a row that are instructions."""
    told = {id(step.sentence) for step in steps}
    items = [sentence for sentence in found.sentences if sentence.ordered and sentence.first]
    runs = groupby(items, key=lambda sentence: (sentence.section, id(sentence) in told))
    return max((len(list(run)) for (_, is_step), run in runs if is_step), default=0)


def _has_system(words: list[str]) -> bool:
    counts = Counter(words)
    system = sum(counts[word] for word in SYSTEM_WORDS)
    by_hand = sum(counts[word] for word in HAND_WORDS)
    return system > by_hand and system >= _MIN_SYSTEM_SHARE * len(words)


def _title(text: str) -> str:
    lines = (line.strip("#* \t\r") for line in text.split("\n"))
    return next((line for line in lines if any(letter.isalpha() for letter in line)), "")


def _summary(text: str, found: Analysis) -> str:
    """The title or first heading says what it is about, the first and last step how it goes."""
    steps = [step for step in found.steps if not step.sentence.note]
    first, last = steps[0].sentence.text, steps[-1].sentence.text
    told = f"from “{_short(first)}” to “{_short(last)}”"
    return f"{_short(_title(text))}: {len(steps)} steps {told}.".replace("<", "‹").replace(">", "›")


def _short(text: str) -> str:
    text = text.rstrip(".:; ")
    return text if len(text) <= 80 else text[:77].rsplit(" ", 1)[0] + "…"
