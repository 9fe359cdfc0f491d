"""How many tokens a text will be, before the endpoint has counted them."""

_BYTES_PER_TOKEN = 4


def estimate_tokens(body: bytes) -> int:
    """A rough count that tends to be high for English prose: JSON escapes count as text."""
    return len(body) // _BYTES_PER_TOKEN + 1
