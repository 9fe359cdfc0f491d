"""What a hostile endpoint sends: for each name pieces of bytes, head included; the connection is closed behind them."""

import gzip
import json
import zlib

MB = 1 << 20
HUGE = 400
"""Megabytes of the replies that never end by themselves; a client takes 64."""


def head(length=None, **fields):
    lines = {"Content-Type": "application/json", **fields}
    if length is not None:
        lines["Content-Length"] = length
    said = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 200 OK\r\n{said}\r\n".encode()


def whole(body, **fields):
    yield head(len(body), **fields)
    yield body


def chat(text, **more):
    message = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "model": "m", **more}
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")


def chunked(piece, times):
    yield head(Transfer_Encoding="chunked")
    for _ in range(times):
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def packed(pieces, window=31):
    pack = zlib.compressobj(9, wbits=window)
    yield from (pack.compress(piece) for piece in pieces)
    yield pack.flush()


def endless_body():
    yield head(63 * MB + 1)
    yield b"x" * (63 * MB)
    yield None  # silence: the reply stays in flight until the client gives up


def endless_headers():
    yield b"HTTP/1.1 200 OK\r\n"
    yield from (b"".join(b"x-%d-%d: %b\r\n" % (n, i, b"v" * 1000) for i in range(1000)) for n in range(HUGE))


def endless_trailers():
    yield from list(chunked(b"{}", 1))[:-1]
    yield b"0\r\n"
    yield from (b"x-%d: %b\r\n" % (n, b"v" * 60_000) for n in range(HUGE * 16))


def interim():
    yield from (b"HTTP/1.1 100 Continue\r\n\r\n" * 40_000 for _ in range(HUGE))


def one_byte_chunks():
    yield head(Transfer_Encoding="chunked")
    yield from (b"1\r\n \r\n" * 170_000 for _ in range(HUGE))


def lasting_text(characters):
    yield from whole(chat("\U0001f600" * characters))


def whole_error(size):
    body = b'{"error":{"message":"' + b"x" * size + b'"}}'
    yield head(len(body)).replace(b"200 OK", b"400 Bad")
    yield body


EVENT = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
ATTACKS = {
    "63 MB, never ended": endless_body,
    "a million small values": lambda: whole(b'{"choices":[' + b"{}," * 999_900 + b"{}]}"),
    "a million names": lambda: whole(b'{"choices":{' + b",".join(b'"%x":0' % n for n in range(499_000)) + b"}}"),
    "numbers of 4,000 digits": lambda: whole(b'{"choices":[' + b",".join([b"9" * 4000] * 3900) + b"]}"),
    "nested a million deep": lambda: whole(b"[" * 999_000 + b"]" * 999_000),
    "63 MB of JSON": lambda: whole(b'{"choices":"' + b"x" * (63 * MB) + b'"}'),
    "15 MB of text, four bytes a character": lambda: lasting_text(3_900_000),
    "15 MB of escapes": lambda: whole(b'{"choices":"' + rb"\ud83d\ude00" * 1_300_000 + b'"}'),
    "15 MB in UTF-16": lambda: whole(chat("x" * 7_400_000).decode().encode("utf-16")),
    "15 MB with half a character": lambda: whole(b'{"choices":"' + rb"\ud800" + "\u4e00".encode() * 5_000_000 + b'"}'),
    "a stream of a million events": lambda: whole(EVENT * 1_390_000, Content_Type="text/event-stream"),
    "a stream with an event of 60 MB": lambda: whole(b"data: " + b"x" * (60 * MB) + b"\n\n"),
    "gzip of 60 MB of JSON": lambda: whole(
        b"".join(packed([b'{"choices":"', *[b"x" * MB] * 60, b'"}'])), Content_Encoding="gzip"
    ),
    "gzip of 2 GB": lambda: whole(b"".join(packed([b"0" * MB] * 2048)), Content_Encoding="gzip"),
    "deflate of 2 GB": lambda: whole(b"".join(packed([b"0" * MB] * 2048, 15)), Content_Encoding="deflate"),
    "a million gzip members": lambda: whole(gzip.compress(b"{}", mtime=0) * 1_000_000, Content_Encoding="gzip"),
    "headers without end": endless_headers,
    "one header without end": lambda: iter([b"HTTP/1.1 200 OK\r\nx: ", *[b"v" * MB] * HUGE]),
    "trailers without end": endless_trailers,
    "interim replies without end": interim,
    "chunks of one byte without end": one_byte_chunks,
    "an error of 60 MB": lambda: whole_error(60 * MB),
    "the longest answer, kept": lambda: whole(chat("\U0001f600" * 999_000)),
}
