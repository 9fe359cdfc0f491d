"""Words and prose of unknown origin: names and search words; the assistant's own wording counts as its own."""

import re

from gem_tasks.checks.faults import Fault
from gem_tasks.checks.grounding.grounds import Grounds
from gem_tasks.checks.grounding.numbers import is_known_number
from gem_tasks.checks.reading.dates import is_weekday
from gem_tasks.checks.reading.said import STOP, content_words
from gem_tasks.checks.reading.verbs import reads, words

_AUTHORED = frozenset(
    """
    message body note notes text comment comments description reason summary content subject remark remarks
    details explanation justification instructions title memo feedback query question prompt search keywords
    keyword agenda headline caption
    """.split()
)
_PROPER = re.compile(r"[A-Z][\w'’.-]+(?:\s+[A-Z][\w'’.-]+)+")
"""A name of several words: a person who was never mentioned is not a search word."""
_NUMBER_IN = re.compile(r"\d[\d,.]*\d|\d")
_ID_IN = re.compile(r"(?<![\w-])(?=[\w-]*[A-Za-z])[A-Za-z]{1,12}[-_#]\w*\d[\w-]*(?![\w-])")
_OWN_WORDING = 5
"""From this many words on, a message or note (`_AUTHORED`) is the assistant's own wording."""
_PARAPHRASE = 6
"""From this many words on, any other text may be a paraphrase of which half was said."""
_LONG_NUMBER = 4
"""From this many digits on, a number inside prose must have an origin."""


def words_fault(field_name: str, text: str, tool: str, grounds: Grounds) -> Fault | None:
    """The fault of prose, or of words without digits."""
    if grounds.given.spelled(text) or grounds.proposed.literally(text):
        return None
    name, wanted = set(words(field_name)), content_words(text)
    letters = [word for word in wanted if not word.isdecimal()]
    said = grounds.given.words(letters)
    missing = len(letters) - len(said)
    if _invented_detail(text, grounds):
        return Fault.UNSOURCED_CODE
    if not missing or (name & _AUTHORED and (len(wanted) >= _OWN_WORDING or 2 * missing <= len(wanted))):
        return None
    if is_weekday(text) and (grounds.given.calendar.weekdays or grounds.given.calendar.dates):
        return None
    proposed = grounds.proposed.words([word for word in letters if word not in set(said)])
    if len(proposed) == missing or (len(wanted) >= _PARAPHRASE and 2 * missing <= len(wanted)):
        return None
    return None if reads(tool) and (said or proposed or not _PROPER.fullmatch(text)) else Fault.UNSOURCED_WORDS


def _invented_detail(text: str, grounds: Grounds) -> bool:
    """Whether prose contains an identifier or a long number of unknown origin."""
    for token in _ID_IN.findall(text):
        if not grounds.given.spelled(token) and token.casefold() not in STOP:
            return True
    long = [found for found in _NUMBER_IN.findall(text) if sum(sign.isdigit() for sign in found) >= _LONG_NUMBER]
    return any(not (grounds.given.spelled(found) or is_known_number(found, grounds)) for found in long)
