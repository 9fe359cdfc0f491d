"""Names of persons in a text: a known given name, and signs that the words after it are the rest of a name.

Lists alone find too much ("Mark Complete", "Virginia Beach") and too little (most surnames are in no list). So each
candidate gets points for signs of a name, such as an address beside it, and loses some for signs of something else.
Examples' names (Jane Doe, Max Mustermann) are left out. Scripts without capital letters are not searched.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from gem_tasks.dataset.name_lists import Lists, lists
from gem_tasks.dataset.privacy import strings
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.patterns import IgnoringCase

_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*\.?")
_POSSESSIVE = re.compile(r"['’]s?$")
_RUNNING = re.compile(r"(?<![\w@./:+-])[^\W\d_]+(?![\w@/-]|\.\w)")
"""Words that are no part of an address or of code."""
_PARTICLES = frozenset(
    "van von der den de di da do dos del della du la le el al bin ibn ben ter ten zu zur af av".split()
)
_AMBIGUOUS = frozenset(
    "mark bill grant rose may april june august frank max min rich guy page chase art van jack ray will sky summer"
    " sunday drew hope faith grace dean major miles wade ford lincoln austin ruby julia ada pascal haskell virginia"
    " georgia jordan paris victoria santa san saint chelsea israel india china america asia carolina dakota florence"
    " sydney adelaide charlotte madison jackson washington dallas houston denver phoenix orlando memphis troy lance"
    " chance case price main star king prince duke earl pat sue don bob rob nick pop skip tab dot basil penny patience"
    " prudence constant edit an job per add general german minor easter valid eden".split()
)
"""Given names that are also ordinary words, places or products."""
_THINGS = frozenset(
    "street avenue road lane drive square park bridge river lake bay beach island city county state university college"
    " school institute hospital airport station inc ltd llc gmbh corp corporation company foundation group team project"
    " award prize medal law theorem algorithm method test server office services software systems press books desktop"
    " straße strasse allee platz weg ufer rue avenida calle via piazza plaza bank church hall house hotel museum day"
    " time times post journal news line list table field type code data file window menu button key value option mode"
    " feb mar apr jun jul aug sep oct nov dec"
    "".split()
)
"""Words that belong to names of places, organisations and products."""
_CUE = IgnoringCase(
    r"(?:©|\(c\)|copyright[^\n]{0,30}|\b(?:by|from|to|cc|authors?|editors?|maintainers?|contact|contributors?|thanks"
    r"|mr|mrs|ms|dr|prof|written|created|translated|translators?|von|par|por|da|autor(?:es)?|auteurs?|herr|frau|señora?"
    r"|автор|signed|sponsor|director|manager)\.?)[\s:,*]{0,3}(?:\d{4}[\d\s,–-]{0,30})?$"
)
"""What is written before a name."""
_ADDRESS = re.compile(r"[^\n@]{0,40}?\n?[^\n@]{0,20}?([\w.+-]{1,64})(?:@| at )")
_LISTED = IgnoringCase(
    r"\s*+(?:<[^<>\n]{0,60}>|\([^()\n]{0,60}\))?\s*+(?:[,;&|/]|and|und|et|y|e|i|и|en|og|och)?\s*+(?:and\s)?\s*+"
)
"""What is between two names of a list."""
_PLACEHOLDERS = frozenset(
    "john doe;jane doe;johnny doe;jane roe;richard roe;joe bloggs;fred bloggs;john smith;jane smith;john public"
    ";joe public;john q. public;john citizen;joe random;jane random;joe random hacker;joe developer;jane developer"
    ";joe user;jane user"
    ";max mustermann;erika mustermann;erika musterfrau;max muster;mario rossi;jean dupont;jan jansen;jan kowalski"
    ";anna kowalska;juan pérez;juan perez;fulano de tal;joão da silva;ivan ivanov;иван иванов;ivan petrov;average joe"
    ";ola nordmann;kari nordmann;matti meikäläinen;alice bob;first last".split(";")
)
_ENOUGH = 2
_MOST_WORDS = 5
_FULL_LINE = 50
"""Characters of a line that continues in the next one."""


class Candidate(NamedTuple):
    """Words that may be a name."""

    text: str
    start: int
    end: int
    points: int


class _Token(NamedTuple):
    word: str
    """With a dot that follows it."""
    start: int
    end: int

    @property
    def plain(self) -> str:
        return self.word.rstrip(".")

    @property
    def folded(self) -> str:
        return self.plain.casefold()


class _Words(NamedTuple):
    """Words known as names or as something else."""

    known: Lists
    lower: frozenset[str]
    """Words that the text has in lower case, too."""

    def given(self, word: str) -> bool:
        first, *others = word.split("-")
        return word in self.known.given or (first in self.known.given and all(part[:1].isupper() for part in others))

    def ordinary(self, folded: str) -> bool:
        return folded in self.lower or folded in self.known.ordinary


def named(trajectory: Trajectory, text: str) -> tuple[str, ...]:
    """Names of persons that a trajectory took from its source text.

    Args:
        trajectory: a conversation; the persons that it invents are no matter.
        text: text of the segment.
    """
    found = names(text)
    if not found:
        return ()
    said = " ".join(" ".join(strings(trajectory.model_dump())).split())
    return tuple(each for each in found if each in said and re.search(rf"(?<!\w){re.escape(each)}(?!\w)", said))


def names(text: str) -> list[str]:
    """Names of persons in the text, each once, in the form in which it stands first."""
    return list(dict.fromkeys(each.text for each in candidates(text) if each.points >= _ENOUGH))


def candidates(text: str) -> list[Candidate]:
    """What begins with a given name, in order."""
    words = _Words(lists(), frozenset(word for word in _RUNNING.findall(text) if word.islower()))
    tokens = [_Token(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text)]
    found: list[Candidate] = []
    at = 0
    while at < len(tokens) - 1:
        end = _end(text, tokens, at, words)
        if end:
            start, stop = tokens[at].start, tokens[end - 1].start + len(tokens[end - 1].plain)
            name = _POSSESSIVE.sub("", " ".join(text[start:stop].split()))
            if name.casefold() not in _PLACEHOLDERS:
                found.append(Candidate(name, start, tokens[end - 1].end, _points(text, tokens, at, end, words)))
        at = end or at + 1
    return _with_neighbours(text, found)


def _with_neighbours(text: str, found: list[Candidate]) -> list[Candidate]:
    """In a list of names, each is a sign for the next."""
    for place in [*range(1, len(found)), *range(len(found) - 1, 0, -1)]:
        one, other = found[place - 1], found[place]
        if 0 <= min(one.points, other.points) < _ENOUGH <= max(one.points, other.points):
            between = text[one.end : other.start]
            if len(between) < 2 * _FULL_LINE and _LISTED.fullmatch(between):
                found[place - 1 : place + 1] = (
                    each._replace(points=max(each.points, _ENOUGH)) for each in (one, other)
                )
    return found


def _end(text: str, tokens: Sequence[_Token], at: int, words: _Words) -> int:
    """The place after the last word of the name that begins here; 0 if none does."""
    first = tokens[at].word
    if not _title(first) or first.endswith(".") or not words.given(first):
        return 0
    last = 0
    for place in range(at + 1, min(at + _MOST_WORDS, len(tokens))):
        token = tokens[place]
        if not _beside(text, tokens[place - 1], token):
            break
        if _initial(token) or token.folded in _PARTICLES:
            continue
        if not _title(token.plain) and token.plain.title() not in words.known.surnames:
            break
        # After the first word that may be a surname only a known one continues it.
        if last and not (words.given(tokens[last - 1].plain) or token.plain in words.known.surnames):
            break
        last = place + 1
        if token.word.endswith("."):
            break
    return last


def _points(text: str, tokens: Sequence[_Token], at: int, end: int, words: _Words) -> int:
    first, *middle, last = tokens[at:end]
    before, after = text[max(0, first.start - 60) : first.start], text[last.end : last.end + 80]
    cued = bool(_CUE.search(before))
    points = _given_points(first, words)
    points += (2 if points > 0 else 1) * (last.plain in words.known.surnames) - 2 * words.ordinary(last.folded)
    points -= 3 * any(each.folded in _THINGS for each in tokens[at + 1 : end + 1])
    points += 2 * cued + _alone(before, after) + _address_points(after, tokens[at:end])
    for each in middle:
        if each.folded in _PARTICLES:  # "Lage der Dinge"
            points += first.plain in words.known.common
        else:
            points += 1 if _initial(each) or words.given(each.plain) else -2 * words.ordinary(each.folded)
    return points - 2 * (at > 0 and not cued and _inside(text, tokens[at - 1], first, words))


def _inside(text: str, left: _Token, first: _Token, words: _Words) -> bool:
    """Whether the name is the end of a longer one, of something else."""
    return _title(left.word) and not words.ordinary(left.folded) and _beside(text, left, first)


def _given_points(token: _Token, words: _Words) -> int:
    name, known = token.plain.partition("-")[0], words.known
    points = 2 if name in known.common else 0 if name in known.everywhere else 1
    unlike = token.folded in _AMBIGUOUS or token.folded in words.lower
    return points - 2 * unlike - (token.folded in known.ordinary)


def _alone(before: str, after: str) -> bool:
    """Whether the name is a line, or an item of a list within one."""
    left = before.rpartition("\n")[2].strip(" \t-*•·|,;:>")
    right = after.partition("\n")[0].lstrip()
    return not left and (not right or right[0] in ",;<(|[")


def _address_points(after: str, name: Sequence[_Token]) -> int:
    """For an e-mail address behind the name, more if it has a part of it."""
    if found := _ADDRESS.match(after):
        local = _ascii(found[1])
        if any(len(part) > 2 and part[:5] in local for part in (_ascii(each.plain) for each in name)):
            return 3
        return int(after.lstrip().startswith(("<", "(mailto")))
    return 0


def _ascii(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in plain if sign.isalnum() and sign.isascii())


def _initial(token: _Token) -> bool:
    return len(token.plain) == 1 and token.plain.isupper()


def _title(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and not word.isupper()


def _beside(text: str, left: _Token, right: _Token) -> bool:
    """Whether only a space, the end of a full line, or the dot of an initial is between two words."""
    if left.word.endswith(".") and len(left.plain) > len("Jr"):
        return False
    between = text[left.end : right.start]
    if between == "":
        return left.word.endswith(".")
    full = "\n" not in text[max(0, left.end - _FULL_LINE) : left.end]
    return between in (" ", "\u00a0") or (full and between.strip(" ") == "\n")
