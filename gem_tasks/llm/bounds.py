"""Limits on replies: no completion needs more, so an endpoint that sends more is broken or hostile.

| bound              | of what                                     | why                                             |
|--------------------|---------------------------------------------|-------------------------------------------------|
| `MAX_HEAD_BYTES`   | status line, headers, interim replies       | kept as text until the reply ends               |
| `MAX_HEADERS`      | headers                                     | a short one takes thirty times its size         |
| `MAX_FILE_BYTES`   | the results of a batch, read line by line   | 50,000 answers of 80 KB                         |
| `MAX_RESULT_BYTES` | those of a batch whose API gives one object | text and parsed values take five times that     |
| `MAX_JSON_BYTES`   | any other JSON text                         | a million characters, each written as an escape |
| `MAX_VALUES`       | values in it                                | Python takes a hundred bytes for a small object |
| `MAX_ANSWER_CHARS` | answer and thoughts                         | 250k tokens; the checks read every word         |

`gem_tasks.replies` has the limits on the wire: for one reply, and for all together.
"""

MAX_HEAD_BYTES = 64 << 10
MAX_HEADERS = 256
MAX_FILE_BYTES = 4 << 30
MAX_RESULT_BYTES = 48 << 20
MAX_JSON_BYTES = 16 << 20
MAX_VALUES = 1_000_000
MAX_ANSWER_CHARS = 1_000_000
_SMALL = 64 << 10
"""Bytes below which no content is a burden; nearly all replies are smaller."""
_BEGINS = (b"{", b"[", b",", b":")


def bounded_json(text: bytes, most: int = MAX_JSON_BYTES) -> bytes:
    """Returns the text if its content stays small once it is parsed.

    Args:
        text: JSON.
        most: largest size in bytes.

    Raises:
        ValueError: it is too long, or has too many values.
    """
    if len(text) <= _SMALL:
        return text
    if len(text) > most:
        raise ValueError(f"more than {most >> 20} MB of JSON")
    if sum(map(text.count, _BEGINS)) > MAX_VALUES:
        raise ValueError(f"JSON of more than {MAX_VALUES} values")
    return text
