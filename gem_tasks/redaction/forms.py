"""The ways in which an echo may write a secret.

Texts are compared *squeezed*: ASCII letters in lower case and digits, nothing else. So blanks, line breaks, quotes,
zero-width characters and the bytes of UTF-16 between the letters of a secret do not hide it, nor does its case; and the
two alphabets of base64 look alike, with padding or without.
"""

import codecs
import string
from base64 import a85encode, b32encode, b32hexencode, b64encode, b85encode
from collections.abc import Callable, Iterator
from functools import lru_cache
from urllib.parse import quote

LEAST = 8
"""Minimum length of a secret that differs from words. Shorter ones are removed only in places of credentials."""
_LONG = 12
"""Minimum length of a secret of one kind of characters, or without its separators, that differs from words."""
_VARIED = 5
_BASE64 = bytes(string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/", "ascii")
_UU = bytes.maketrans(_BASE64, b"`" + bytes(range(33, 96)))
"""uuencode is base64 with other letters."""
_ROT47 = bytes(33 + (code - 33 + 47) % 94 if 33 <= code < 127 else code for code in range(256))
_ATBASH = str.maketrans(string.ascii_lowercase, string.ascii_lowercase[::-1])
_TABLE = bytes(code + 32 if 65 <= code <= 90 else code for code in range(256))
_NUMBERS = (
    "{:02x}", "{}", "{:o}", "0x{:02x}", "U+{:04X}", "{:04x}", "{:02x}00", "{:06x}", "{:03d}", "{:03o}", "0{:o}",
    "0o{:o}", "{:08b}", "chr{}",
)  # fmt: skip
"""Codes of its characters, one after the other."""
_DROPPED = bytes(code for code in range(256) if not (code < 128 and chr(code).isalnum()))


def squeezed(text: str) -> bytes:
    """Letters and digits of ASCII, in lower case."""
    return text.encode("utf-8", "surrogatepass").translate(_TABLE, _DROPPED)


def distinctive(secret: str) -> bool:
    """Whether GEM can search for it in any text: words such as `postgres` would disappear from documents."""
    kinds = sum(any(map(kind, secret)) for kind in (str.islower, str.isupper, str.isdigit, _is_sign))
    return len(set(secret)) >= _VARIED and (len(secret) >= _LONG or (len(secret) >= LEAST and kinds > 1))


def exact(secret: str) -> tuple[str, ...]:
    """Literal needles: a secret that would be too short when squeezed, and its reverse."""
    return () if len(squeezed(secret)) >= _LONG else (secret, secret[::-1])


@lru_cache(512)
def needles(secret: str) -> frozenset[bytes]:
    """Needles to search for in a squeezed text."""
    return frozenset(form for form in _forms(secret) if len(form) >= LEAST)


def _forms(secret: str) -> Iterator[bytes]:
    raw, plain = secret.encode("utf-8", "surrogatepass"), squeezed(secret)
    if len(plain) >= _LONG:
        yield plain
        yield plain[::-1]
        rot13 = codecs.encode(plain.decode(), "rot13").encode()
        yield from (rot13, rot13[::-1], plain.decode().translate(_ATBASH).encode())
    yield squeezed(raw.translate(_ROT47).decode("latin-1"))
    yield from (squeezed("".join(form.format(byte) for byte in raw)) for form in _NUMBERS)
    yield raw.hex().encode()[::-1]
    wide = secret.encode("utf-16-be", "surrogatepass")[1:]  # the same in either order of bytes
    for written in {raw, raw[::-1], quote(secret, safe="").encode(), raw.hex().encode(), b64encode(raw), wide}:
        yield from _cores(written, b64encode, 6, 3)
    yield b64encode(raw).hex().encode()
    yield from _cores(raw, lambda data: b64encode(data).translate(_UU), 6, 3)
    yield from (core[::-1] for core in _cores(raw, b64encode, 6, 3))
    yield from _cores(raw, b32encode, 5, 5)
    yield from _cores(raw, b32hexencode, 5, 5)
    yield from (squeezed(encode(raw[at : at + (len(raw) - at) // 4 * 4]).decode()) for encode in (b85encode, a85encode)
                for at in range(4))  # fmt: skip


def _cores(raw: bytes, encode: Callable[[bytes], bytes], bits: int, block: int) -> Iterator[bytes]:
    """The parts of an encoding that do not depend on the text around the secret, as in `Bearer SECRET`.

    Args:
        raw: the secret.
        encode: the encoding.
        bits: bits of each of its characters.
        block: bytes after which it is aligned again.
    """
    for shift in range(block):
        whole = encode(bytes(shift) + raw)
        first, end = -(-shift * 8 // bits), (shift + len(raw)) * 8 // bits
        yield squeezed(whole[first:end].decode())


def _is_sign(character: str) -> bool:
    return not character.isalnum()
