"""Detects the language of a text, offline and deterministically."""

from array import array
from functools import cache
from typing import Any, cast

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from gem_tasks.corpus.text.scripts import letters
from gem_tasks.patterns import IgnoringCase

_SAMPLE_CHARS = 1500
_MIN_LETTERS = 20
_MIN_PROBABILITY = 0.5
_LONGEST = 6
"""Bytes of the model's longest n-gram."""
_CODE = IgnoringCase(r"([a-z]{2})(?:[-_].*)?")


def detect(text: str) -> str | None:
    """ISO 639-1 code; None if the text is too short or too mixed to tell."""
    sample = text[:_SAMPLE_CHARS]
    if letters("".join(filter(str.isalpha, sample))) < _MIN_LETTERS:
        return None
    language, probability = cast("tuple[str, float]", _identifier().classify(sample))
    return language if probability >= _MIN_PROBABILITY else None


def code(claimed: str | None) -> str | None:
    """ISO 639-1 code of a record's claim such as `en`, `EN-us` or `pt_BR`; None for anything else."""
    match = _CODE.fullmatch(claimed.strip()) if claimed else None
    return match[1].lower() if match else None


class _Identifier(LanguageIdentifier):
    """The library's model, read by numpy: a third of the time of its loop over the bytes.

    The automaton's state is the longest end of the bytes read that begins an n-gram. So it depends on the last few
    bytes only, and all states of a text are found at once, by as many steps as the longest n-gram has bytes.
    """

    def __init__(self, *model: Any, **options: Any) -> None:
        super().__init__(*model, **options)
        moves = cast("array[int]", self.tk_nextmove)
        self._next = np.frombuffer(moves, np.dtype(moves.typecode))
        self._row = np.array(self._rowbase, np.int32)
        self._feature = np.array(self.tk_output, np.int32)

    def _raw_score(self, text: bytes) -> Any:
        found: Any = self._features(text) if text else ()
        if not len(found):
            return cast("Any", super()._raw_score(b""))
        which, counts = np.unique(found, return_counts=True)
        table, prior = cast("Any", self.nb_ptc), cast("Any", self.nb_pc)
        return np.log1p(counts.astype(np.float32)) @ table.take(which, 0) + prior

    def _features(self, text: bytes) -> Any:
        """The n-grams of the text that the model knows, by number."""
        data = np.frombuffer(text, np.uint8).astype(np.int32)
        row = np.full(len(data), self._row[0])
        for back in range(min(_LONGEST, len(data)) - 1, 0, -1):
            row[back:] = self._row[self._next[row[back:] + data[:-back]]]
        feature = self._feature[self._next[row + data]]
        return feature[feature >= 0]


@cache
def _identifier() -> LanguageIdentifier:
    return _Identifier.from_model_file(MODEL_FILE, norm_probs=True)
