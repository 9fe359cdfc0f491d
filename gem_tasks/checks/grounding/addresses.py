"""E-mail addresses, URLs and phone numbers of unknown origin. A message to an invented address is lost."""

import re

from gem_tasks.checks.faults import Fault
from gem_tasks.checks.grounding.grounds import Grounds
from gem_tasks.checks.reading.said import content_words
from gem_tasks.checks.reading.verbs import reads
from gem_tasks.patterns import IgnoringCase

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_URL = IgnoringCase(r"(?:https?|ftp|s3)://\S+")
_PHONE = re.compile(r"\+?[\d\s()./-]{7,20}")
_PHONE_TAIL = 7
"""Last digits that distinguish a phone number, however its country and area are written."""
_OF_EVERY_URL = ("http", "https", "www", "com", "org", "net")


def is_address(text: str) -> bool:
    """Whether the text is an e-mail address or a URL."""
    return bool(_EMAIL.fullmatch(text) or _URL.fullmatch(text))


def address_fault(text: str, tool: str, grounds: Grounds) -> Fault:
    """The fault of an unknown e-mail address or URL; for the judge if its parts were said, or it is only looked up."""
    parts = [part for part in content_words(text) if part not in _OF_EVERY_URL]
    said = grounds.given.words(parts)
    return Fault.UNSOURCED_ADDRESS if reads(tool) or (parts and len(said) == len(parts)) else Fault.INVENTED_ADDRESS


def is_phone_number(text: str) -> bool:
    """Whether the text may be a phone number; other long numbers may match too."""
    return _PHONE.fullmatch(text) is not None and len(_digits(text)) >= _PHONE_TAIL


def is_known_phone_number(text: str, grounds: Grounds) -> bool:
    """Whether the phone number was given, in any grouping, with or without its country."""
    return grounds.given.calls_number(_digits(text)[-_PHONE_TAIL:])


def phone_fault(tool: str) -> Fault:
    """The fault of an unknown phone number."""
    return Fault.UNSOURCED_ADDRESS if reads(tool) else Fault.INVENTED_ADDRESS


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())
