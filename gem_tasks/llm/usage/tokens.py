"""Estimates the tokens of a text before the endpoint has counted them.

UTF-8 bytes per token (letters per token) of six common tokenizers, measured:

| text                       | least | most        | for                                    |
|----------------------------|-------|-------------|----------------------------------------|
| English prose, prompts     | 4.0   | 4.5 (4.5)   | cl100k, o200k, Qwen, DeepSeek, Claude  |
| German, names, JSON        | 2.4   | 3.3 (3.3)   | the same                               |
| Chinese, Japanese, Korean  | 2.4   | 4.7 (1.8)   | the same; 1.2 on Llama 2's             |
| Russian, Arabic, Greek     | 1.7   | 7.1 (3.9)   | the same                               |
| Hindi, Thai                | 1.7   | 7.5 (2.5)   | the same                               |

So four bytes per token is a fair guess for all scripts and certain for none, while no script has more than about 4.5
letters per token. The endpoint's own counts are better: see `Densities`.
"""

_BYTES_PER_TOKEN = 4
_LETTERS_PER_TOKEN = 6
"""More than in any of them, with a third to spare."""
_FIRST = {True: (1 / 5.2, 1 / 3.3), False: (1 / 9, 1 / 2.4)}
"""Least and most tokens per byte of a body that is plain ASCII, or is not, before anything was counted."""
_FORGETS = 16
_MARGIN = 1.1
"""Texts of one stage differ by this factor."""


def estimate_tokens(body: bytes) -> int:
    """A rough count, rather high for English prose: JSON escapes count as text."""
    return len(body) // _BYTES_PER_TOKEN + 1


def least_tokens(body: bytes) -> int:
    """A lower bound for every tokenizer."""
    return len(body.decode("utf-8", "replace")) // _LETTERS_PER_TOKEN


class Densities:
    """Tokens per byte of one stage's prompts at one model: the least so far, and the recent most.

    Kept separately for bodies in plain ASCII and others, since scripts differ more than texts of one script do.
    """

    def __init__(self) -> None:
        self._seen = dict(_FIRST)
        self._counted: set[bool] = set()

    def most(self, body: bytes) -> int:
        """Upper bound in tokens, unless the text is unlike earlier ones."""
        return int(len(body) * self._seen[body.isascii()][1] * _MARGIN) + 1

    def least(self, body: bytes) -> int:
        """Lower bound in tokens, with the same reservation."""
        return int(len(body) * self._seen[body.isascii()][0])

    def observe(self, body: bytes, tokens: int) -> None:
        """Notes the endpoint's count."""
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
