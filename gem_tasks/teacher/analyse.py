"""What a text tells to do: sentences, the instructions among them, rules, limits and named things.

Reads plain English with or without Markdown by form alone: list markers, sentence openings, quotation. Linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gem_tasks.teacher.words import DETERMINER, NOUN_VERBS, OPERATIONS, RULE_MARKS

_MAX_LINE = 4000
_MAX_SENTENCE = 400
_ITEM = re.compile(r"^\s*(?:(\d{1,3}[.)]|[a-z][.)])|[-*+•])\s+(?:\[[ xX]\]\s+)?")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_UNDERLINE = re.compile(r"^[=-]{3,}\s*$")
_MARKUP = re.compile(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,300}\)|<[^<>\n]{1,200}>|[`*_]{1,3}")
_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+(?=[\"'(\[]?[A-Z0-9])")
_NAMED = re.compile(r"\*\*([^*\n]{2,60})\*\*|\"([^\"\n]{2,60})\"|“([^”\n]{2,60})”|`([^`\n]{2,60})`")
# What may stand before the verb of an instruction: a place, a condition, a filler.
_LEAD = re.compile(
    r"^(?:(?:please|then|next|now|first|second|third|finally|also|optionally|afterwards?|again|alternatively|instead|"
    r"step \d+|to finish|lastly|carefully|immediately|always)[,:]?\s+(?:and\s+)?|"
    r"(?:in|on|at|from|under|for|to|if|when|once|after|before|with|as|by|using|until|depending)\b[^,.;:]{2,160},\s+(?:then\s+)?|"
    r"(?:[a-z]+ly),?\s+)",
    re.IGNORECASE,
)
_NO_INSTRUCTION = re.compile(r"(?:is|are|was|were|has|have|can|will|of|sure|that)\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_CODE_FENCE = re.compile(r"^\s*(?:```|~~~)")
_LIMIT = re.compile(
    r"\b(?P<kind>at most|no more than|not more than|up to|maximum of|a maximum of|at least|no less than|minimum of|"
    r"a minimum of|no later than|within|more than|fewer than|less than|not exceed|cannot exceed|exactly|only)\s+"
    r"(?:a |an |the )?(?P<number>\d{1,6}(?:[.,]\d{1,3})?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)\b\s*"
    r"(?P<unit>[A-Za-z°%€$-]{0,20})",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\bbetween\s+(?P<low>\d{1,6})\s*(?:°C|%|[A-Za-z]{0,10})?\s+and\s+(?P<high>\d{1,6})\s*(?P<unit>[A-Za-z°%-]{0,20})",
    re.I,
)
_NUMBERS = dict(zip("one two three four five six seven eight nine ten".split(), range(1, 11), strict=True)) | {
    "twelve": 12
}
_UPPER = (
    "at most",
    "no more",
    "not more",
    "up to",
    "max",
    "within",
    "no later",
    "not exceed",
    "cannot exceed",
    "exactly",
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence without markup, and where it stood."""

    text: str
    raw: str
    """With its markup: names are quoted or bold there."""
    heading: str
    ordered: bool
    """In a numbered list."""
    item: bool
    """In any list."""


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction: `verb` as it stands in the text, lower case, and what follows it."""

    sentence: Sentence
    verb: str
    rest: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that bounds something."""

    noun: str
    """What is counted or measured, singular if it is a word: `week`, `item`; may be empty."""
    minimum: float | None
    maximum: float | None
    sentence: str


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
    """Share of lines that look like source code or tables."""


def analyse(text: str) -> Analysis:
    """Reads a text. Never raises, whatever the text."""
    sentences = tuple(_sentences(text))
    steps = tuple(step for sentence in sentences if (step := instruction(sentence)))
    rules = [sentence.text for sentence in sentences if _is_rule(sentence.text)]
    limits = [limit for sentence in sentences for limit in _limits(sentence.text)]
    names = [name for sentence in sentences for name in named(sentence.raw)]
    return Analysis(
        sentences=sentences,
        steps=steps,
        rules=tuple(dict.fromkeys(rules)),
        limits=tuple(limits),
        names=tuple(dict.fromkeys(names)),
        code_share=_code_share(text),
    )


def instruction(sentence: Sentence) -> Step | None:
    """The step that a sentence is, if it begins, after what may stand before, with a verb of doing."""
    rest = sentence.text
    for _ in range(3):
        word = _WORD.match(rest)
        if word and word[0].lower() in OPERATIONS:
            after = rest[word.end() :].strip(" ,")
            doubtful = word[0].lower() in NOUN_VERBS and not DETERMINER.match(after)
            if after and not doubtful and not _NO_INSTRUCTION.match(after):
                return Step(sentence, word[0].lower(), after.rstrip(".:; "))
            return None
        lead = _LEAD.match(rest)
        if not lead:
            return None
        rest = rest[lead.end() :]
    return None


def named(raw: str) -> list[str]:
    """Names marked in a sentence: bold, quoted, or code."""
    found = (next(filter(None, match.groups())).strip(" .:,") for match in _NAMED.finditer(raw))
    return [name for name in found if name and any(character.isalpha() for character in name)]


def plain(raw: str) -> str:
    """Without Markdown and HTML marks, single spaces."""
    text = _MARKUP.sub(lambda match: match[1] or "", raw)
    return " ".join(text.replace("\\", "").split())


def _sentences(text: str) -> Iterator[Sentence]:
    heading, in_code, ordered, in_list = "", False, False, False
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if _CODE_FENCE.match(line):
            in_code = not in_code
            continue
        line = line[:_MAX_LINE]
        if in_code or not line.strip() or line.lstrip().startswith("|") or _UNDERLINE.match(line):
            in_list = in_list and not line.strip()
            continue
        below = lines[index + 1] if index + 1 < len(lines) else ""
        if found := _HEADING.match(line) or (_UNDERLINE.match(below) and re.match(r"^(.{1,100})$", line)):
            heading, in_list = plain(found[1]), False
            continue
        marker = _ITEM.match(line)
        if marker:
            ordered, in_list = marker[1] is not None or (ordered and line[:1] == " "), True
            line = line[marker.end() :]
        elif not line.startswith((" ", "\t", ">")):
            in_list = False
        for raw in _SENTENCE_END.split(line.strip(" >\t")):
            words = plain(raw)[:_MAX_SENTENCE]
            if _WORD.search(words):
                yield Sentence(words, raw[:_MAX_SENTENCE], heading, ordered and in_list, in_list)


def _is_rule(text: str) -> bool:
    lower = f" {text.lower()} "
    return 20 < len(text) < _MAX_SENTENCE and any(re.search(rf"\b{re.escape(mark)}\b", lower) for mark in RULE_MARKS)


def _limits(text: str) -> Iterator[Limit]:
    for match in _LIMIT.finditer(text):
        number = _number(match["number"])
        kind = match["kind"].lower()
        upper = kind.startswith(_UPPER) or kind in ("fewer than", "less than", "only")
        yield Limit(_noun(match["unit"]), None if upper else number, number if upper else None, text)
    for match in _BETWEEN.finditer(text):
        yield Limit(_noun(match["unit"]), float(match["low"]), float(match["high"]), text)


def _number(text: str) -> float:
    return float(_NUMBERS.get(text.lower(), 0) or text.replace(",", ""))


def _noun(unit: str) -> str:
    word = unit.lower().strip("-")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _code_share(text: str) -> float:
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return 0.0
    in_code, count = False, 0
    for line in lines:
        if _CODE_FENCE.match(line):
            in_code = not in_code
        looks = in_code or line.lstrip().startswith(
            ("|", "def ", "class ", "import ", "return ", ">>>", "#include", "$ ")
        )
        count += bool(looks or re.search(r"[{};]\s*$|\)\s*:\s*$|^\s*\w+\s*=\s*\S+\(", line[:300]))
    return count / len(lines)
