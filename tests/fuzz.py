"""Two minutes of odd input for whatever reads foreign bytes: `python -m tests.fuzz [seconds] [seed]`.

Readers of files, parsers of answers, and headers of replies get what is sound with bytes changed, cut, doubled and
repeated. Nothing may come out but a value or the error that is meant for it, and nothing may take long.
"""

import gzip
import io
import json
import random
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.errors import EndpointError
from gem_tasks.llm.limits.pacing import wait_s
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.completions import read_completion
from gem_tasks.llm.responses.offered import read_models
from gem_tasks.pipeline.ingest.prepare import Rules, prepare
from gem_tasks.prompts.dialogue import parse_tools, parse_trajectory
from gem_tasks.prompts.tags import TagError
from tests.patterns.texts import PIECES

RULES = Rules(license=None, target_tokens=100, max_tokens=200, min_chars=1, signed=True)
SLOW_S = 5.0
ODD = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"9" * 5000,
    b"-1",
    b"NaN",
    b"1e999",
    b"\\ud800",
    b"\x1b[31m",
    b"{",
    b"[" * 3000,
    b"]",
]


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "text": ["Words of a text. " * 9, None]}), sink)
    return sink.getvalue()


def documents(kind: str, compression: str = "") -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        found = SourceObject("file:///f", "e", len(data), kind, compression, open=lambda: io.BytesIO(data))
        return prepare(list(read(found, 1_000_000)), RULES)

    return run


def headers(data: bytes) -> object:
    value = data.decode("latin-1")
    names = ("remaining", "limit", "reset")
    said = {f"x-ratelimit-{name}-requests": part for name, part in zip(names, value.split("|"), strict=False)}
    return wait_s(said, 100), from_status(503, {"retry-after": value, "retry-after-ms": value}, data)


CHAT = {
    "choices": [{"message": {"content": "<a>words</a>", "reasoning_content": "hm"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}, "model": "m",
}  # fmt: skip
TOOLS = '<tools>[{"name": "a", "description": "b", "parameters": {"type": "object", "properties": {}}}]</tools>'
CALL = '<func>{"name": "a", "arguments": {}}</func>'
TALK = f"<system>s</system><user>u</user><assistant>x {CALL}</assistant><tool>{{}}</tool>"
LINE = json.dumps({"id": 1, "text": "Words of a text. " * 9, "title": "t"}).encode() + b"\n"
PAGE = (
    b"<html><head><title>t</title></head><body><h1>h</h1><p>Words <b>of</b> a text.</p><table><tr><td>1</table></body>"
)
WARC = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/\r\n"
    b"Content-Type: application/http;msgtype=response\r\n"
    b"Content-Length: 76\r\n\r\nHTTP/1.1 200 OK\r\n"
    b"Content-Type: text/html; charset=latin1\r\n\r\n<p>Words of it.\r\n\r\n\r\n"
)
TARGETS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "jsonl": (LINE * 3, documents("application/jsonl")),
    "jsonl.gz": (gzip.compress(LINE * 3, mtime=0), documents("application/jsonl", ".gz")),
    "parquet": (parquet(), documents("application/parquet")),
    "warc": (WARC, documents("application/warc")),
    "html": (PAGE, documents("text/html")),
    "markdown": (
        b"---\ntitle: t\n---\n# H\n\n- a\n- b\n\n```\ncode\n```\n<!-- x -->\n> q\n",
        documents("text/markdown"),
    ),
    "text": ("Wörter eines Textes.\r\n".encode() * 9, documents("text/plain")),
    "completion": (json.dumps(CHAT).encode(), lambda data: read_completion(data, 0.0)),
    "stream": (b"data: " + json.dumps(CHAT).encode() + b"\n\ndata: [DONE]\n", lambda data: read_completion(data, 0.0)),
    "models": (b'{"data": [{"id": "a"}, {"id": "b"}]}', read_models),
    "headers": (b"0|60|6m0s", headers),
    "tools": (TOOLS.encode(), lambda data: parse_tools(data.decode("utf-8", "replace"))),
    "trajectory": (TALK.encode(), lambda data: parse_trajectory(data.decode("utf-8", "replace"), ())),
}
MEANT = (EndpointError, TagError)


def changed(data: bytes, draw: random.Random) -> bytes:
    """With one to four odd things done to it."""
    for _ in range(draw.randint(1, 4)):
        at, end = sorted(draw.randint(0, len(data)) for _ in range(2))
        piece = draw.choice(
            [data[at:end], draw.choice(ODD), draw.randbytes(4), draw.choice(PIECES).encode() * draw.randint(1, 2000)]
        )
        data = draw.choice([data[:at] + piece + data[at:], data[:at] + piece + data[end:], data[:at] + data[end:]])[
            :200_000
        ]
    return data


def main(seconds: float, seed: int) -> int:
    """How many inputs were not borne."""
    draw, until, tried, bad = random.Random(seed), time.monotonic() + seconds, 0, 0
    while time.monotonic() < until:
        name = draw.choice(list(TARGETS))
        sound, run = TARGETS[name]
        data = changed(sound, draw)
        tried += 1
        begun = time.process_time()
        problem = fault(run, data)
        if not problem and (took := time.process_time() - begun) > SLOW_S:
            problem = f"{took:.1f} s of CPU time"
        if problem:
            bad += 1
            print(f"{name} (try {tried}, seed {seed}): {data[:200]!r}\n{problem}", file=sys.stderr)
    print(f"{tried} inputs, {bad} not borne")
    return bad


def fault(run: Callable[[bytes], Any], data: bytes) -> str:
    """What came out that is not meant to; empty if nothing did."""
    try:
        run(data)
    except MEANT:
        return ""
    except Exception:  # noqa: BLE001
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    given = [float(each) for each in sys.argv[1:]]
    sys.exit(bool(main(given[0] if given else 120.0, int(given[1]) if len(given) > 1 else 0)))
