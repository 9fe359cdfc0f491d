"""What the user of an environment says, from a model's answers or a script."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

_DEED = re.compile(r"<deed>([^<>]{0,100})</deed>")
_STOP = re.compile(r"</?stop ?/?>")


class Said(NamedTuple):
    """A message of the user."""

    words: str
    deeds: tuple[str, ...]
    """What they did before it."""
    stops: bool
    """Whether they leave."""


def spoken(answer: str, left: Collection[str]) -> Said:
    """Reads an answer of the user's model.

    Args:
        answer: words, `<deed>name</deed>`, and `<stop>` at the end.
        left: deeds that were not done yet; others are ignored.
    """
    done = tuple(dict.fromkeys(name for name in map(str.strip, _DEED.findall(answer)) if name in left))
    words = _DEED.sub("", answer)
    return Said(_STOP.sub("", words).strip(), done, bool(_STOP.search(words)))


def scripted(script: Sequence[str], deeds: Collection[str]) -> Iterator[Said]:
    """The messages of a script, until the user leaves."""
    left = set(deeds)
    for answer in script:
        said = spoken(answer, left)
        left -= set(said.deeds)
        yield said
        if said.stops:
            return
