"""What scripts need to be treated differently: some write no spaces, and some say more with fewer characters."""

import re

HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"
SOUTH_EAST_ASIAN = "\u0e01-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf"
"""Thai, Lao, Tibetan, Burmese, Khmer, Tai: written without spaces between words."""
UNSPACED = re.compile(f"[{HAN}{KANA}{SOUTH_EAST_ASIAN}]")
TOKEN = re.compile(f"[{HAN}{KANA}{SOUTH_EAST_ASIAN}]|[^\\W{HAN}{KANA}{SOUTH_EAST_ASIAN}]+")
"""A word, or a character where no space tells words apart; vowel signs and tone marks are characters, too."""
_DENSE = ((re.compile(f"[{HAN}]++"), 3), (re.compile(f"[{KANA}{HANGUL}]++"), 2))
"""So many letters of an alphabet say what one character of these says, as translations of the same texts have them."""


def letters(text: str) -> int:
    """The length of a text in characters, or what it would be about in a script with letters."""
    if text.isascii():
        return len(text)
    return len(text) + sum((worth - 1) * sum(map(len, script.findall(text))) for script, worth in _DENSE)
