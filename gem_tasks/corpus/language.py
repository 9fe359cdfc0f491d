"""Language of a text, offline and deterministic."""

from functools import cache
from typing import cast

from py3langid.langid import MODEL_FILE, LanguageIdentifier

_SAMPLE_CHARS = 3000
_MIN_LETTERS = 20
_MIN_PROBABILITY = 0.5


def detect(text: str) -> str | None:
    """ISO 639-1 code, or None when there is too little text to tell or the text is too mixed."""
    sample = text[:_SAMPLE_CHARS]
    if sum(character.isalpha() for character in sample) < _MIN_LETTERS:
        return None
    language, probability = cast("tuple[str, float]", _identifier().classify(sample))
    return language if probability >= _MIN_PROBABILITY else None


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
