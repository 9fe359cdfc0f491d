"""Hashed n-grams of a text: words, pairs of words, first words of lines, and four consecutive bytes.

All of it is arithmetic on the bytes of the text with numpy, several times faster than scikit-learn's
`HashingVectorizer`, which makes a Python string of every n-gram. Digits count as one and the same digit and letters as
lower case; the beginning of a line is a separate feature, because procedures are numbered. `FEATURES_VERSION` is part
of a model's identity: raise it if the same text would get other features.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FEATURES_VERSION = 1
BITS = 18
"""Features are numbers below 2 ** BITS."""

_CHARS = 6000
"""Only this many characters of a text are read, which limits time and memory."""
_GRAM = 4
_PRIME = np.uint32(0x01000193)
_MIX = np.uint32(0x9E3779B1)
_LONGEST_WORD = 64
_NEWLINE = 10
_POWERS = np.cumprod(np.full(_LONGEST_WORD, _PRIME, dtype=np.uint32), dtype=np.uint32)
_SALTS = np.array([0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F], dtype=np.uint32)
"""One per kind beside single words, so that kinds share no features on purpose."""

Indices = NDArray[np.uint32]
Weights = NDArray[np.float32]


def _folded() -> NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    table[65:91] += 32
    table[48:58] = 48
    return table


_FOLD = _folded()
_WORD = np.zeros(256, dtype=bool)
_WORD[48:58] = _WORD[97:123] = _WORD[128:] = True


def features(text: str) -> tuple[Indices, Weights]:
    """The text's features, each once and in order, with weights of length 1 as a vector; empty for an empty text."""
    raw = np.frombuffer(text[:_CHARS].encode("utf-8", "replace"), dtype=np.uint8)
    folded = _FOLD[raw]
    found, counts = np.unique(np.concatenate([*_words(folded), _grams(folded)]), return_counts=True)
    weights = np.float32(1) + np.log(counts.astype(np.float32))
    norm = float(np.sqrt(np.dot(weights, weights)))
    return found, weights / np.float32(norm or 1)


def rows(texts: Iterable[str]) -> tuple[Indices, Weights, NDArray[np.int64]]:
    """Many texts as the three arrays of a sparse matrix by rows (CSR): indices, data, row starts."""
    indices, data, starts = [np.zeros(0, np.uint32)], [np.zeros(0, np.float32)], [0]
    for text in texts:
        found, weights = features(text)
        indices.append(found)
        data.append(weights)
        starts.append(starts[-1] + len(found))
    return np.concatenate(indices), np.concatenate(data), np.array(starts, dtype=np.int64)


def _words(folded: NDArray[np.uint8]) -> list[Indices]:
    """Words, pairs, and words that begin a line; a word is a run of letters, digits and bytes beyond ASCII."""
    inside = _WORD[folded]
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return []
    lengths = ends - starts
    firsts = np.cumsum(lengths) - lengths
    offsets = np.arange(int(lengths.sum())) - np.repeat(firsts, lengths)
    parts = folded[inside].astype(np.uint32) * _POWERS[np.minimum(offsets, _LONGEST_WORD - 1)]
    words = np.add.reduceat(parts, firsts, dtype=np.uint32)
    # Only marks such as `- ` or `**` may precede the first word of a line.
    lines = np.cumsum(folded == _NEWLINE)[starts]
    begins = np.diff(lines, prepend=-1) != 0
    return [
        _bucket(words),
        _bucket(words[:-1] * _SALTS[0] + words[1:]),
        _bucket(words[begins] * _SALTS[1] + np.uint32(1)),
    ]


def _grams(folded: NDArray[np.uint8]) -> Indices:
    if len(folded) < _GRAM:
        return np.zeros(0, dtype=np.uint32)
    packed = np.lib.stride_tricks.sliding_window_view(folded, _GRAM)
    return _bucket(np.ascontiguousarray(packed).view("<u4")[:, 0] * _SALTS[2])


def _bucket(hashed: Indices) -> Indices:
    """Spreads a hash over the features: its high bits after mixing."""
    hashed = (hashed ^ (hashed >> np.uint32(15))) * _MIX
    hashed = (hashed ^ (hashed >> np.uint32(13))) * _PRIME
    return hashed >> np.uint32(32 - BITS)
