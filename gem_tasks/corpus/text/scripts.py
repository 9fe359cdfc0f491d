"""Differences between scripts: some have no spaces between words, and some need fewer characters for the same text."""

import re

HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"
SOUTH_EAST_ASIAN = "\u0e01-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf"
"""Thai, Lao, Tibetan, Burmese, Khmer, Tai: written without spaces between words."""
_ONE_UNSPACED = re.compile(f"[{HAN}{KANA}{SOUTH_EAST_ASIAN}]")
_UNSPACED = re.compile(f"[{HAN}{KANA}{SOUTH_EAST_ASIAN}]++")
_WORD = re.compile(r"\w+")
_MOST_KNOWN = 1 << 17
_DENSE = ((re.compile(f"[{HAN}]++"), 3), (re.compile(f"[{KANA}{HANGUL}]++"), 2))
"""Letters of an alphabet that one character of these corresponds to, measured on translations."""


class _Apart(dict[int, int | str]):
    """For `str.translate`: blanks around characters of scripts without spaces, and in place of what is in no word.

    A pattern that matches such characters one by one takes twice as long.
    """

    def __missing__(self, code: int) -> int | str:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        character = chr(code)
        self[code] = f" {character} " if _UNSPACED.match(character) else code if _WORD.match(character) else " "
        return self[code]


_APART = _Apart()


def unspaced(text: str) -> int:
    """The number of its characters from scripts without spaces between words."""
    if text.isascii() or not (first := _ONE_UNSPACED.search(text)):  # many times cheaper than a search for runs
        return 0
    return sum(map(len, _UNSPACED.findall(text, first.start())))


def words(text: str) -> list[str]:
    """Words, and each character of a script without spaces; vowel signs and tone marks are characters, too."""
    return text.translate(_APART).split() if unspaced(text) else _WORD.findall(text)


def letters(text: str) -> int:
    """The length of a text in characters, converted to letters of an alphabet."""
    if text.isascii():
        return len(text)
    return len(text) + sum((worth - 1) * sum(map(len, script.findall(text))) for script, worth in _DENSE)
