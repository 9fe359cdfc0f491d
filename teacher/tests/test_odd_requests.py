"""Requests that no client of the protocol sends get 4xx and the protocol's error, never 500 and never a traceback."""

import json

import pytest
from yarl import URL

from teacher_cases import question

COMPLETIONS, FILES, BATCHES = "/v1/chat/completions", "/v1/files", "/v1/batches"
DEEP = b"[" * 100_000


def batch_of(file_id):
    return json.dumps({"input_file_id": file_id, "endpoint": COMPLETIONS, "completion_window": "24h"}).encode()


ODD = {
    "messages missing": (COMPLETIONS, json.dumps({"model": "offline-rules"}).encode()),
    "content is a number": (COMPLETIONS, json.dumps(question(messages=[{"role": "user", "content": 7}])).encode()),
    "content is nested": (COMPLETIONS, json.dumps(question(messages=[{"role": [], "content": [[{}]]}])).encode()),
    "model is a list": (COMPLETIONS, json.dumps(question(model=[1])).encode()),
    "limit is infinite": (COMPLETIONS, json.dumps(question()).encode()[:-1] + b', "max_tokens": Infinity}'),
    "limit is huge": (COMPLETIONS, json.dumps(question()).encode()[:-1] + b', "max_tokens": 1%b}' % (b"0" * 5000)),
    "half a character": (COMPLETIONS, b'{"model": "\\ud800", "messages": [{"role": "user", "content": "\\ud800"}]}'),
    "not UTF-8": (COMPLETIONS, b'{"model": "\xff\xfe"}'),
    "deep": (COMPLETIONS, b'{"model": "offline-rules", "messages": ' + DEEP),
    "deep content": (COMPLETIONS, b'{"model":"offline-rules","messages":[{"role":"user","content":' + b"[" * 5000),
    "a batch of a number": (BATCHES, b"7"),
    "a batch of a deep file": (BATCHES, b'{"input_file_id": ' + DEEP),
    "a batch of a path": (BATCHES, batch_of("../../etc/passwd")),
    "a batch of a long name": (BATCHES, batch_of("x" * 5000)),
    "a batch of NUL": (BATCHES, batch_of("\0")),
    "a file that is no form": (FILES, b"{}"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_body_is_the_senders_fault(serve, name, caplog):
    path, body = ODD[name]
    async with (await serve()).post(f"http://teacher{path}", data=body) as response:
        told = await response.text()
        assert 400 <= response.status < 500, told
        assert json.loads(told)["error"]["type"] == "invalid_request_error"
    assert "Traceback" not in told + caplog.text


PATHS = [
    "/v1/files/..%2f..%2fetc%2fpasswd", "/v1/files/%00", f"/v1/files/{'x' * 5000}", "/v1/files/%ff/content",
    "/v1/batches/%00", f"/v1/batches/{'x' * 5000}", "/v1/batches?limit=%C2%B2", "/v1/batches?limit=" + "9" * 5000,
    "/v1/batches?limit=-1", "/nowhere",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
async def test_an_odd_path_leads_nowhere(serve, path, caplog):
    async with (await serve()).get(URL(f"http://teacher{path}", encoded=True)) as response:
        told = await response.text()
        assert 400 <= response.status < 500, told
    assert "Traceback" not in told + caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Gem-Faults": "rate_429=many"},
        {"X-Gem-Faults": "latency_s=nan&seed=²"},
        {"X-Gem-Faults": "=&=&" * 500},
        {"Content-Type": "application/json; charset=nothing"},
        {"Content-Type": "multipart/form-data"},
    ],
    ids=range(5),
)
async def test_an_odd_header_breaks_nothing(serve, headers, caplog):
    client = await serve()
    for path in (COMPLETIONS, FILES, BATCHES):
        async with client.post(f"http://teacher{path}", data=b"{}", headers=headers) as response:
            told = await response.text()
            assert 400 <= response.status < 500, told
    assert "Traceback" not in told + caplog.text


async def test_a_body_that_is_not_compressed_as_it_says_is_the_senders_fault(serve):
    async with (await serve()).post(
        f"http://teacher{COMPLETIONS}", data=b"{}", headers={"Content-Encoding": "gzip"}
    ) as response:
        assert response.status == 400
