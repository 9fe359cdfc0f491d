"""A key, and the forms in which an endpoint may give it back."""

import base64
import codecs
import html
import json
import urllib.parse

KEY = "sk-Planted_8f3aQ7/zT19+xkE2b.W"
RAW = KEY.encode()
FORMS = {
    "plain": KEY,
    "bearer": f"Bearer {KEY}",
    "upper": KEY.upper(),
    "base64": base64.b64encode(RAW).decode(),
    "base64 of Bearer": base64.b64encode(b"Bearer " + RAW).decode(),
    "base64 of user": base64.b64encode(b"user:" + RAW + b"!").decode(),
    "base64 of me": base64.b64encode(b"me:" + RAW + b"!!").decode(),
    "base64url": base64.urlsafe_b64encode(b"x" + RAW).decode().rstrip("="),
    "base64 wrapped": base64.encodebytes(b"y" * 50 + RAW + b"z" * 50).decode(),
    "base32": base64.b32encode(RAW).decode(),
    "hex": RAW.hex(),
    "HEX": RAW.hex().upper(),
    "hex with colons": RAW.hex(":"),
    "percent": "".join(f"%{byte:02X}" for byte in RAW),
    "quoted": urllib.parse.quote(KEY, safe=""),
    "quoted twice": urllib.parse.quote(urllib.parse.quote(KEY, safe=""), safe=""),
    "JSON": "".join(f"\\u{byte:04x}" for byte in RAW),
    "Python": "".join(f"\\x{byte:02x}" for byte in RAW),
    "octal": "".join(f"\\{byte:03o}" for byte in RAW),
    "HTML": html.escape(KEY),
    "HTML numbers": "".join(f"&#{byte};" for byte in RAW),
    "HTML hex": "".join(f"&#x{byte:x};" for byte in RAW),
    "quoted-printable": "".join(f"={byte:02X}" for byte in RAW),
    "decimals": ", ".join(map(str, RAW)),
    "reversed": KEY[::-1],
    "rot13": codecs.encode(KEY, "rot13"),
    "spaced": " ".join(KEY),
    "two lines": f"{KEY[:11]}\n{KEY[11:]}",
    "codes of C": ", ".join(f"0x{byte:02x}" for byte in RAW),
    "code points": " ".join(f"U+{byte:04X}" for byte in RAW),
    "JavaScript": "".join(f"%u{byte:04x}" for byte in RAW),
    "Python, long": "".join(f"\\U{byte:08x}" for byte in RAW),
    "octal with blanks": " ".join(f"{byte:o}" for byte in RAW),
    "base64 of quoted": base64.b64encode(urllib.parse.quote(KEY, safe="").encode()).decode(),
    "base64 of UTF-16": base64.b64encode(KEY.encode("utf-16-le")).decode(),
    "JSON in JSON": json.dumps(json.dumps({"a": KEY})),
    "zero-width": "\u200b".join(KEY),
    "UTF-16": "\0".join(KEY),
}
