"""Is a text English? By its most frequent small words; no model, no dependency."""

import re

_SAMPLE_CHARS = 6000
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST_WORDS = 20
_ENGLISH = frozenset(
    """the of and to in a is for that on with as are be this by it or from at an not can if you your when will which
    have has all was then do we he they his but""".split()
)
_OTHERS = {
    "de": "der die das und ist den dem nicht mit sie ein eine auf für im zu von wird werden oder wenn sich bei als",
    "fr": "le la les des et est une pour dans que qui vous pas sur au avec votre ce par du sont ou ne",
    "es": "el los las una para que con por del como su está más puede se al es lo y en",
    "it": "il gli una per che con della del nel sono è di non si da come questo alla",
    "pt": "os as uma para que com por não do da em você mais ao se como é o",
    "nl": "het een van niet met voor zijn wordt op de dat je bij ook naar uit",
    "pl": "jest nie się na do że jak oraz po przez tym lub są w z",
    "sv": "och att det som är på för med inte en ett av du kan den till",
    "tr": "ve bir bu için ile de da olarak olan daha çok gibi",
}
_OTHER_WORDS = {name: frozenset(words.split()) - _ENGLISH for name, words in _OTHERS.items()}


def is_english(text: str) -> bool:
    """Whether English is the likeliest language; True where there is too little to tell."""
    sample = text[:_SAMPLE_CHARS].lower()
    letters = _LETTERS.findall(sample)
    foreign = sum(letter > "\u024f" for letter in letters)
    if len(letters) >= _FEWEST_WORDS and foreign * 3 > len(letters):
        return False
    words = _WORD.findall(sample)
    if len(words) < _FEWEST_WORDS:
        return True
    english = sum(word in _ENGLISH for word in words)
    other = max(sum(word in known for word in words) for known in _OTHER_WORDS.values())
    return english >= other
