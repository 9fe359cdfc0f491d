"""What S3 services do on a bad day, over HTTP: errors that pass or stay; and options that must reach the wire."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest

from gem_tasks.errors import StoreError
from gem_tasks.store import open_store


@pytest.fixture
def flaky(s3_endpoint, bucket, monkeypatch):
    """A proxy before the S3 server that answers the first so many requests with a status of its own."""
    plan = {"left": 0, "status": 503, "seen": 0, "headers": [], "withheld": (), "unconditional": False}

    class Proxy(BaseHTTPRequestHandler):
        def pass_on(self):
            plan["seen"] += 1
            plan["headers"].append(dict(self.headers))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if plan["left"] > 0 or (plan["unconditional"] and "If-None-Match" in self.headers):
                plan["left"] -= 1
                self.answer(plan["status"], b"")
                return
            request = Request(s3_endpoint + self.path, data=body or None, method=self.command)
            request.add_header("Content-Type", "application/octet-stream")  # urllib's own makes a form of the body
            for name, value in self.headers.items():
                if name.lower() not in ("host", "content-length", "connection", *plan["withheld"]):
                    request.add_header(name, value)
            try:
                with urlopen(request) as reply:
                    self.answer(reply.status, reply.read(), dict(reply.headers))
            except HTTPError as error:
                self.answer(error.code, error.read(), dict(error.headers))

        def answer(self, status, body, headers=None):
            self.send_response(status)
            for name, value in (headers or {}).items():
                if name.lower() in ("etag", "last-modified", "content-type", "content-range"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield plan
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [500, 503])
def test_errors_that_pass_are_waited_for(flaky, bucket, status):
    flaky.update(left=3, status=status)
    store = open_store(f"s3://{bucket}/p")
    store.put("a/b", b"x")
    assert store.get("a/b") == b"x"
    assert flaky["left"] == 0


def test_a_refusal_is_said_at_once(flaky, bucket):
    flaky.update(left=1000, status=403)
    with pytest.raises(StoreError, match="cannot be written"):
        open_store(f"s3://{bucket}/p").put("a", b"x")
    assert flaky["seen"] <= 2


def test_encryption_at_rest_and_session_tokens_reach_the_wire(flaky, bucket, monkeypatch, s3_endpoint):
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "AES256")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "temporary-token")
    open_store(f"s3://{bucket}/p").put("a", b"x")
    sent = {name.lower(): value for name, value in flaky["headers"][-1].items()}
    assert sent["x-amz-server-side-encryption"] == "AES256"
    assert sent["x-amz-security-token"] == "temporary-token"
    assert (
        boto3.client("s3", endpoint_url=s3_endpoint).head_object(Bucket=bucket, Key="p/a")["ServerSideEncryption"]
        == "AES256"
    )


def test_large_objects_go_up_in_parts(bucket):
    open_store(f"s3://{bucket}/p").put("large", bytes(12_000_000))
    head = boto3.client("s3").head_object(Bucket=bucket, Key="p/large")
    assert head["ContentLength"] == 12_000_000
    assert head["ETag"].strip('"').endswith("-3"), "one part of five megabytes after another"


@pytest.mark.parametrize("how", ["ignores it", "answers 501"])
def test_a_service_without_conditional_writes_is_asked_first(flaky, bucket, how):
    flaky.update({"withheld": ("if-none-match",)} if how == "ignores it" else {"unconditional": True, "status": 501})
    store = open_store(f"s3://{bucket}/p")
    assert store.create("a", b"first") is True
    assert store.create("a", b"second") is False
    assert store.get("a") == b"first"
    assert list(store.list("")) == ["a"]
