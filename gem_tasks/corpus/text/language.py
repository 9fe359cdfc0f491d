"""Detects the language of a text, offline and deterministically."""

from functools import cache
from typing import cast

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from gem_tasks.corpus.text.scripts import letters
from gem_tasks.patterns import IgnoringCase

_SAMPLE_CHARS = 1500
_MIN_LETTERS = 20
_MIN_PROBABILITY = 0.5
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


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
