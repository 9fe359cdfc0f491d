"""Near duplicates: MinHash signatures of texts and the bands under which similar ones meet (Broder 1997; LSH banding as
in Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).

A signature has 128 values, of which 8 bits each are stored (b-bit MinHash, Li and König 2010): 128 bytes per text, with
a mean error of 0.03 in the estimated similarity. There are sixteen bands of eight values: texts of similarity 0.85 meet
in 99.4 %, of 0.8 in 95 %, of 0.5 in 6 % of cases; texts that meet are compared by signature.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from struct import Struct
from typing import Any, cast

import rensa

from gem_tasks.corpus.text.scripts import unspaced, words
from gem_tasks.domain.base import Value

_MINHASH = cast("Any", rensa).RMinHash  # the package has no stubs
_VALUES, _BANDS, _SEED = 128, 16, 42
_ROWS = _VALUES // _BANDS
_WORDS = 5
"""Words per shingle, as usual for texts of some length."""
_CHARACTERS = 8
"""Characters per shingle in scripts without spaces: about as much text, and a changed word affects as much of it."""
_PACK = Struct(f"<{_VALUES}I").pack
_BAND_BYTES = _ROWS * 4
_PERSONS = [
    (number * _BAND_BYTES, f"{_MINHASH.ALGORITHM_VERSION}.{number}".encode()) for number in range(_VALUES // _ROWS)
]
_CHANCE = 1 / 256
"""Probability that two different values have the same lowest byte."""


class Signature(Value):
    """The stored signature of a text."""

    digest: bytes
    """128 bytes."""
    bands: tuple[int, ...]
    """Sixteen signed 64-bit hashes; those of another version of the algorithm never match these."""

    def similarity(self, digest: bytes) -> float:
        """Estimated Jaccard similarity of the shingles, 0 to 1."""
        same = sum(mine == theirs for mine, theirs in zip(self.digest, digest, strict=True)) / _VALUES
        return max(0.0, (same - _CHANCE) / (1 - _CHANCE))


def signatures(texts: Sequence[str]) -> list[Signature]:
    """One for each text, in order."""
    return [_signature(_values(text)) for text in texts]


def _values(text: str) -> list[int]:
    # Text by text: signing several at once starts threads, for which one process waits longer than it computes.
    minhash = _MINHASH(_VALUES, _SEED)
    minhash.update(shingles(text))
    return minhash.digest()


def shingles(text: str) -> list[str]:
    """Overlapping runs of words, or of characters in scripts without spaces; for a short text, the words themselves."""
    folded = text.casefold()
    found = words(folded)
    size = _CHARACTERS if 2 * unspaced(folded) > len(found) else _WORDS
    if len(found) < size:
        return found
    joined = " ".join(found)
    starts = [0, *accumulate(len(word) + 1 for word in found)]
    return [joined[start : end - 1] for start, end in zip(starts, starts[size:], strict=False)]


def _signature(values: Sequence[int]) -> Signature:
    packed = _PACK(*values)
    bands = (_hash(person, packed[start : start + _BAND_BYTES]) for start, person in _PERSONS)
    return Signature(digest=packed[::4], bands=tuple(bands))


def _hash(person: bytes, packed: bytes) -> int:
    return int.from_bytes(blake2b(packed, digest_size=8, person=person).digest(), "little", signed=True)
