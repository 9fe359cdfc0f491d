"""What a text tells to do: sentences, the instructions among them, rules, limits and named things.

Reads plain English with or without Markdown by form alone: list markers, sentence openings, quotation. Linear time.
"""

import re
from dataclasses import dataclass

from offline_teacher.reading.limits import Limit, limits
from offline_teacher.reading.sentences import Sentence, named, plain, sentences
from offline_teacher.reading.words import DETERMINER, NOUN_VERBS, OPERATIONS, RULE_MARKS

__all__ = ["LEAD", "Analysis", "Limit", "Sentence", "Step", "analyse", "instruction", "named", "plain"]

LEAD = re.compile(
    r"^(?:(?:please|then|next|now|first|second|secondly|third|finally|also|optionally|afterwards?|again|instead|"
    r"alternatively|or|step \w+|to finish|lastly|carefully|immediately|always|and|so|just|simply|you (?:must|should|"
    r"will need to|need to|have to)(?: then| first| now)?)[,:]?\s+|"
    r"(?:\(?optional\)?|required)[,:]?\s+|"
    r"(?:in|on|at|from|under|for|to|if|when|once|after|before|with|as|by|using|until|depending|where|within|via)\b"
    r"[^,;:]{2,160},\s+|"
    r"(?:[a-z]{2,}ly),?\s+)",
    re.IGNORECASE,
)
"""What may stand before the verb of an instruction: a place, a condition, a filler."""
_NUMBERED_LEAD = re.compile(
    r"^(?:to [^,.;:]{3,80}?\s(?=you )|(?:the|your) (?:next|first|second|third|last|final) step (?:is|will be) to\s+|"
    r"(?:you|users?|the users?)(?:'ll)? (?:can|may|must|should|will|need to|have to|(?:will )?(?:have|need) to)"
    r"(?: now| then| first| also)*\s+)",
    re.IGNORECASE,
)
"""What may stand there besides in a numbered list, where nobody only describes what one could do."""
_FEWEST_WORDS = 5
"""A shorter list item that begins with a word like `report` names a thing."""
_MOST_LEADS = 4
_NO_INSTRUCTION = re.compile(
    r"(?:is|are|was|were|has|have|had|can|will|would|may|of|sure that you're)\b", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_RULE = re.compile(rf"\b(?:{'|'.join(re.escape(mark) for mark in RULE_MARKS)})\b", re.IGNORECASE)
_CODE_FENCE = re.compile(r"^\s*(?:```|~~~)")
_CODE_LINE = re.compile(
    r"^\s*(?:def |class |import |from \w+ import|return\b|>>>|#include|\$ |[@}\])]|\w[\w.]*\s*(?:=|\+=|:=)\s*\S)|"
    r"[{};]\s*$|\)\s*:\s*$|^\s*\w[\w.]*\([^)]*\)\s*$"
)


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction: `verb` as it stands in the text, lower case, and what follows it."""

    sentence: Sentence
    verb: str
    rest: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything found, in the order of the text."""

    sentences: tuple[Sentence, ...]
    steps: tuple[Step, ...]
    rules: tuple[str, ...]
    limits: tuple[Limit, ...]
    names: tuple[str, ...]
    """Quoted, bold or code words: fields, buttons, options, values."""
    code_share: float
    """Share of lines that look like source code."""
    table_share: float = 0.0
    """Share of lines that belong to Markdown tables."""


def analyse(text: str) -> Analysis:
    """Reads a text. Never raises, whatever the text."""
    found = tuple(sentences(text))
    steps = tuple(step for sentence in found if (step := instruction(sentence)))
    rules = [sentence.text for sentence in found if 20 < len(sentence.text) and _RULE.search(sentence.text)]
    bounds = [limit for sentence in found for limit in limits(sentence.text)]
    names = [name for sentence in found for name in named(sentence.raw)]
    code, tables = _line_shares(text)
    return Analysis(
        sentences=found,
        steps=steps,
        rules=tuple(dict.fromkeys(rules)),
        limits=tuple(bounds),
        names=tuple(dict.fromkeys(names)),
        code_share=code,
        table_share=tables,
    )


def instruction(sentence: Sentence) -> Step | None:
    """The step that a sentence is, if it begins, after what may stand before, with a verb of doing."""
    rest = sentence.text.lstrip(",;.)- ")
    if rest.endswith("?"):
        return None
    for _ in range(_MOST_LEADS):
        word = _WORD.match(rest)
        if word and word[0].lower() in OPERATIONS:
            after = rest[word.end() :].strip(" ,")
            told = sentence.ordered or (sentence.item and len(sentence.text.split()) >= _FEWEST_WORDS)
            doubtful = word[0].lower() in NOUN_VERBS and not DETERMINER.match(after) and not told
            if after and not doubtful and rest[word.end() : word.end() + 1] != ":" and not _NO_INSTRUCTION.match(after):
                return Step(sentence, word[0].lower(), after.rstrip(".:; "))
            return None
        lead = LEAD.match(rest) or (_NUMBERED_LEAD.match(rest) if sentence.ordered else None)
        if not lead:
            return None
        rest = rest[lead.end() :]
    return None


def _line_shares(text: str) -> tuple[float, float]:
    """Shares of lines that look like code, and that belong to tables."""
    code = tables = total = 0
    in_code = False
    for line in text.split("\n"):
        if not line.strip():
            continue
        total += 1
        if _CODE_FENCE.match(line):
            in_code = not in_code
        elif line.lstrip().startswith("|"):
            tables += 1
            continue
        code += in_code or bool(_CODE_LINE.search(line[:300]))
    return (code / total, tables / total) if total else (0.0, 0.0)
