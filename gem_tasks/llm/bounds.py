"""How much of a reply is taken: no completion needs more, and whoever sends more is broken or hostile.

| bound                 | of what                                | why                                            |
|-----------------------|----------------------------------------|------------------------------------------------|
| `MAX_HEAD_BYTES`      | status line, headers, interim replies  | kept as text for the time of the reply         |
| `MAX_BODY_BYTES`      | a reply on the wire, and unpacked      | a stream of 128k tokens takes 40 MB            |
| `MAX_IN_FLIGHT_BYTES` | all replies under way to an endpoint   | hundreds may grow at once                      |
| `MAX_JSON_BYTES`      | one JSON text                          | a million characters, each written as an escape |
| `MAX_VALUES`          | values in it                           | Python takes a hundred bytes for a small object |
| `MAX_ANSWER_CHARS`    | answer and thoughts                    | 250k tokens; the checks read every word         |
"""

MAX_HEAD_BYTES = 64 << 10
MAX_BODY_BYTES = 64 << 20
MAX_IN_FLIGHT_BYTES = 512 << 20
MAX_JSON_BYTES = 16 << 20
MAX_VALUES = 1_000_000
MAX_ANSWER_CHARS = 1_000_000
_SMALL = 64 << 10
"""Whatever so few bytes hold is no burden; nearly all replies are smaller."""
_BEGINS = (b"{", b"[", b",", b":")


def bounded_json(text: bytes) -> bytes:
    """The text, if what it holds stays small once it is parsed.

    Raises:
        ValueError: it is too long, or has too many values.
    """
    if len(text) <= _SMALL:
        return text
    if len(text) > MAX_JSON_BYTES:
        raise ValueError(f"more than {MAX_JSON_BYTES >> 20} MB of JSON")
    if sum(map(text.count, _BEGINS)) > MAX_VALUES:
        raise ValueError(f"JSON of more than {MAX_VALUES} values")
    return text


class Held:
    """Bytes of the replies that are under way to one endpoint."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0

    def take(self, size: int) -> bool:
        """Adds so many; False when that is more than may be held."""
        self.size += size
        return self.size <= MAX_IN_FLIGHT_BYTES

    def free(self, size: int) -> None:
        """Gives them back."""
        self.size -= size
