"""Takes a sentence apart into what is to be done, one after the other: `Choose X, enter Y, and then post Z`."""

import re
from dataclasses import dataclass

from offline_teacher.reading.analyse import LEAD, Sentence, instruction, plain
from offline_teacher.reading.words import DETERMINER, NOUN_VERBS, OPERATIONS, PARTICLES

_MOST_CLAUSES = 6
_MARKED = r"\*\*[^*\n]{1,60}\*\*|\*[^*\n]{1,60}\*|\"[^\"\n]{1,60}\"|“[^”\n]{1,60}”|`[^`\n]{1,60}`"
MARKED = re.compile(_MARKED)
FIELD_WORDS = (
    r"fields?|check ?box(?:es)?|boxes|box|column|toggle|drop-?down|switch|slider|parameter|radio button|text ?box"
)
PLACE_WORDS = (
    r"pages?|windows?|tabs?|fasttabs?|dialog(?: box)?|screens?|cards?|menus?|sections?|panes?|panels?|list|view|app|"
    r"area|ribbon|document|journal|worksheet|portal|site|form|group|center|centre|settings|wizard|tile|toolbar|header"
)
BUTTON_WORDS = r"buttons?|actions?|icons?|commands?|keys?|links?|menu items?"
_BEFORE_FIELD = re.compile(rf"(?:in|for|from|under|on|to)\s+the\s+({_MARKED})\s+(?:{FIELD_WORDS})\b", re.IGNORECASE)
_PAGE_WORDS = r"pages?|windows?|screens?|cards?|worksheet|journal|view|app|portal|form|settings|document"
_BEFORE_PLACE = re.compile(
    rf"(?:in|on|from|under|at|to)\s+(?:the\s+|your\s+)?({_MARKED})\s+(?:{_PAGE_WORDS})\b", re.IGNORECASE
)
_JOINT = re.compile(
    r"(?:[,;]\s*+(?:and\s++|or\s++)?(?:then\s++)?|(?<!\s)\s++(?:and\s++(?:then\s++)?|then\s++))(?:to\s++)?"
    r"([A-Za-z-]++)\s++(?=(\S+))"
)
_PURPOSE = re.compile(r"(?<!\s)\s++(?:in order )?to\s++(?=(?:find|locate|retrieve|search|look up)\s)", re.IGNORECASE)
_CAPITALS = re.compile(
    rf"\b((?:[A-Z][\w&/-]{{0,30}}\s+){{0,4}}[A-Z][\w&/-]{{0,30}})(?=\s+(?:{FIELD_WORDS}|{PLACE_WORDS}|{BUTTON_WORDS})\b)"
)
_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing to be done."""

    verb: str
    """As in the text, lower case, with its particle: `turn on`."""
    operation: str
    """What a system would call it."""
    rest: str
    """What follows the verb, with markup."""
    field: str
    """The field that the sentence is about, where it says so first: `In the X field, choose …`."""
    place: str
    """The page, window or list that the sentence names."""
    sentence: Sentence
    last: bool = False
    """The last of its sentence."""


def marked(raw: str) -> list[tuple[str, str]]:
    """`(name, what follows it)` for every marked name; in text without marks, for names in capitals on a screen."""
    plainly = [(match[1], raw[match.end(1) :]) for match in _CAPITALS.finditer(raw)] if not MARKED.search(raw) else []
    if plainly:
        return plainly
    found = ((match[0].strip('*"“”`').strip(" .:,;"), raw[match.end() :]) for match in MARKED.finditer(raw))
    return [(name, after) for name, after in found if any(letter.isalpha() for letter in name)]


def clauses(sentence: Sentence) -> list[Clause]:
    """All instructions of a sentence; none if it is no instruction."""
    step = instruction(sentence)
    if step is None:
        return []
    raw = _from_verb(sentence.raw, step.verb)
    lead = sentence.raw[: len(sentence.raw) - len(raw)]
    field, place = _first_name(_BEFORE_FIELD, lead), _first_name(_BEFORE_PLACE, lead)
    place = place or _first_name(_BEFORE_PLACE, raw)
    parts = _cut(raw)
    return [
        _clause(part, field, place, sentence, last=index == len(parts)) for index, part in enumerate(parts, start=1)
    ]


def _from_verb(raw: str, verb: str) -> str:
    """The sentence from its first verb of doing on."""
    rest = raw
    for _ in range(5):
        rest = rest.lstrip(" ,;.)-*_\t")
        word = _WORD.match(rest)
        if word and word[0].lower() == verb:
            return rest
        lead = LEAD.match(rest)
        if not lead:
            break
        rest = rest[lead.end() :]
    found = re.search(rf"\b{re.escape(verb)}\b", raw, re.IGNORECASE)
    return raw[found.start() :] if found else f"{verb} {raw}"


def _first_name(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip('*"“”` ') if found else ""


def _cut(raw: str) -> list[str]:
    names = [match.span() for match in MARKED.finditer(raw)]
    cuts = [0]
    for joint in _JOINT.finditer(raw):
        word = joint[1].lower()
        sure = word in OPERATIONS and (word not in NOUN_VERBS or DETERMINER.match(joint[2]) or joint[2][:1] in '*"“`')
        inside = any(start < joint.start() < end for start, end in names)
        if sure and not inside and joint[1][0].islower() and len(cuts) < _MOST_CLAUSES:
            cuts += [joint.start(), joint.start(1)]
    if (purpose := _PURPOSE.search(raw)) and len(cuts) == 1:
        cuts += [purpose.start(), purpose.end()]
    cuts.append(len(raw))
    return [raw[start:end].strip(" ,;.:") for start, end in zip(cuts[::2], cuts[1::2], strict=True)]


def _clause(part: str, field: str, place: str, sentence: Sentence, *, last: bool) -> Clause:
    word = _WORD.match(part)
    verb = word[0].lower() if word else ""
    rest = part[word.end() :].strip() if word else part
    operation = OPERATIONS.get(verb, verb)
    following = _WORD.match(plain(rest))
    particle = following[0].lower() if following else ""
    if (verb, particle) in PARTICLES:
        operation, verb = PARTICLES[verb, particle], f"{verb} {particle}"
        rest = re.sub(rf"^\W*{particle}\b\s*", "", rest, flags=re.IGNORECASE)
    elif split := re.match(r"(.{2,40}?)(?<!\s)\s++(on|off|up|down|out|back|over)$", rest):
        if (verb, split[2]) in PARTICLES:
            operation, rest = PARTICLES[verb, split[2]], split[1]
    return Clause(verb, operation, rest, field, place, sentence, last)
