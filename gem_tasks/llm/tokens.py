"""How many tokens a text will be, before the endpoint has counted them.

Bytes of UTF-8 a token (letters a token) of six common tokenizers, measured:

| text                       | least | most        | on such                                |
|----------------------------|-------|-------------|----------------------------------------|
| English prose, prompts     | 4.0   | 4.5 (4.5)   | cl100k, o200k, Qwen, DeepSeek, Claude  |
| German, names, JSON        | 2.4   | 3.3 (3.3)   | the same                               |
| Chinese, Japanese, Korean  | 2.4   | 4.7 (1.8)   | the same; 1.2 on Llama 2's             |
| Russian, Arabic, Greek     | 1.7   | 7.1 (3.9)   | the same                               |
| Hindi, Thai                | 1.7   | 7.5 (2.5)   | the same                               |

So four bytes a token is a fair guess for all scripts and certain for none, while no script has more than about 4.5
letters a token. What a model's endpoint counts says more: see `Densities`.
"""

_BYTES_PER_TOKEN = 4
_LETTERS_PER_TOKEN = 6
"""More than any of them, with a third to spare."""
_FIRST = {True: (1 / 5.2, 1 / 3.3), False: (1 / 9, 1 / 2.4)}
"""Least and most tokens per byte of a body that is plain ASCII, or is not, while nothing has been counted."""
_FORGETS = 16
_MARGIN = 1.1
"""Texts of one stage differ by so much."""


def estimate_tokens(body: bytes) -> int:
    """A rough count that tends to be high for English prose: JSON escapes count as text."""
    return len(body) // _BYTES_PER_TOKEN + 1


def least_tokens(body: bytes) -> int:
    """No tokenizer makes fewer of it."""
    return len(body.decode("utf-8", "replace")) // _LETTERS_PER_TOKEN


class Densities:
    """Tokens per byte of the prompts of one stage at one model: the least so far, and the most of late.

    Of bodies in plain ASCII and of others apart, since scripts differ more than texts of one script do.
    """

    def __init__(self) -> None:
        self._seen = dict(_FIRST)
        self._counted: set[bool] = set()

    def most(self, body: bytes) -> int:
        """So many tokens at most, unless the text is unlike those before."""
        return int(len(body) * self._seen[body.isascii()][1] * _MARGIN) + 1

    def least(self, body: bytes) -> int:
        """So many at least, with the same reservation."""
        return int(len(body) * self._seen[body.isascii()][0])

    def observe(self, body: bytes, tokens: int) -> None:
        """An endpoint counted so many."""
        kind, density = body.isascii(), tokens / len(body)
        if kind not in self._counted:
            self._counted.add(kind)
            self._seen[kind] = (density, density)
            return
        least, most = self._seen[kind]
        self._seen[kind] = (
            min(density, least),
            density if density > most else most + (density - most) / _FORGETS,
        )
