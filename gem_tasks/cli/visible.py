"""Text of others as a terminal may print it: what would act on the terminal is shown instead."""

import re

_ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """On one line, with control characters, bidirectional marks and lone surrogates as escapes."""
    return _ACTS.sub(lambda match: match[0].encode("unicode_escape").decode(), " ".join(text.split("\n")))
