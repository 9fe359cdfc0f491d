"""A bucket is a source like a folder is, over HTTP."""

import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.exceptions import GenericError

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.errors import UnavailableError, UserError
from gem_tasks.pipeline.ingest.source import ingest
from tests.services import free_port


@pytest.fixture
def put(bucket):
    client = boto3.client("s3")

    def put_object(key, data):
        client.put_object(Bucket=bucket, Key=key, Body=data)
        return client

    return put_object


def keys(bucket, prefix):
    return [found.uri.removeprefix(f"s3://{bucket}/") for found in list_objects(f"s3://{bucket}/{prefix}")]


def test_a_prefix_is_a_folder_and_a_key_an_object(bucket, put):
    for key in ("d/b.md", "d/a/c.txt.gz", "d/.hidden.md", "d/.git/x.md", "d/image.png", "d#?/e f.txt", "d2/g.md"):
        put(key, b"x")
    assert keys(bucket, "d") == keys(bucket, "d/") == ["d/a/c.txt.gz", "d/b.md"]
    assert keys(bucket, "d/b.md") == ["d/b.md"]
    assert keys(bucket, "d#?/e f.txt") == ["d#?/e f.txt"]
    for missing in ("nothing/", "d/c.md", "d/a/c.txt.gz/"):
        with pytest.raises(UserError, match="contains no supported files"):
            keys(bucket, missing)


def test_a_bucket_that_is_none_is_one_clear_line(bucket):
    with pytest.raises(UserError, match="cannot be listed") as error:
        keys(f"{bucket}-missing", "d")
    assert "\n" not in str(error.value)
    assert type(error.value) is UserError, "a task would retry in vain"


def test_a_service_that_does_not_answer_may_answer_a_later_try(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(UnavailableError, match="cannot be listed"):
        keys(bucket, "d")


@pytest.mark.parametrize(("status", "kind"), [(503, UnavailableError), (403, UserError)])
def test_a_fault_of_the_service_may_pass_and_a_refusal_does_not(bucket, monkeypatch, status, kind):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_):
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    try:
        with pytest.raises(UserError, match="cannot be listed") as error:
            keys(bucket, "d")
    finally:
        server.shutdown()
        server.server_close()
    assert type(error.value) is kind


def test_objects_are_read_in_ranges(bucket, put, tmp_path):
    pq.write_table(pa.table({"text": ["one", "two"]}), tmp_path / "a.parquet")
    put("r/a.parquet", (tmp_path / "a.parquet").read_bytes())
    put("r/b.jsonl.gz", gzip.compress(b'{"text": "three"}\n'))
    put("r/c.txt", b"x" * 3_000_000)
    raws = [raw for found in list_objects(f"s3://{bucket}/r") for raw in read(found, 5_000_000)]
    assert [raw.text for raw in raws] == ["one", "two", "three", "x" * 3_000_000]


def test_an_object_that_is_gone_meanwhile_is_unreadable(bucket, put):
    client = put("g/a.txt", b"x")
    (found,) = list_objects(f"s3://{bucket}/g")
    client.delete_object(Bucket=bucket, Key="g/a.txt")
    (raw,) = read(found, 100)
    assert raw.reason is IngestReason.UNREADABLE
    assert "\n" not in raw.detail


ODD_KEYS = (
    "docs/a-lamp.md", "docs/sub//b-door.md", "docs//c.md", "docs/z-lift.md", "docs/../up.md", "docs/./same.md",
    "/docs.md",
    "docs/100% sure+ok.md", "docs/größe ß.md", "docs/a b/c#d?e.md", "docs/trailing .md", "docs/ctrl\x01\x7f.md",
    "docs/%2e%2e/x.md", "docs/back\\slash.md", "docs/" + "long" * 200 + ".md",
)  # fmt: skip


def test_odd_keys_are_read_beside_all_others(bucket, put):
    for number, key in enumerate(ODD_KEYS):
        put(key, f"text {number}".encode())
    put("docs/folder.md/", b"")
    put("up.md", b"another object, which a path would lead to")
    found = list(list_objects(f"s3://{bucket}"))
    assert [each.order for each in found] == sorted(each.order for each in found)
    texts = {each.uri.removeprefix(f"s3://{bucket}/"): next(read(each, 1000)).text for each in found}
    assert texts.pop("up.md").startswith("another")
    assert texts == {key: f"text {number}" for number, key in enumerate(ODD_KEYS)}
    below = [key for key in ODD_KEYS if key.startswith("docs/")]
    assert sorted(keys(bucket, "docs")) == sorted(keys(bucket, "docs/")) == sorted(below)
    middle = found[len(found) // 2].uri
    after = [each.uri for each in list_objects(f"s3://{bucket}", middle)]
    assert after == [each.uri for each in found if each.uri.encode() > middle.encode()]


def test_a_prefix_that_ends_inside_a_name_means_every_key_that_begins_so(bucket, put):
    for key in ("crawl-2026-01/a.md", "crawl-2026-02/b.md", "crawl-2025/c.md", "notes.md", "notes.md.gz", "v1.2/d.md"):
        put(key, b"x")
    assert keys(bucket, "crawl-2026-") == ["crawl-2026-01/a.md", "crawl-2026-02/b.md"]
    assert keys(bucket, "v1") == ["v1.2/d.md"]
    assert keys(bucket, "notes.md") == ["notes.md"], "an object of that very name is meant alone"
    assert keys(bucket, "note") == ["notes.md", "notes.md.gz"]


def test_a_prefix_that_ends_in_two_slashes_is_one_clear_line(bucket, put):
    put("docs/sub//b.md", b"x")
    with pytest.raises(UserError, match=f"Give s3://{bucket}/docs/sub/, which holds it") as error:
        keys(bucket, "docs/sub//")
    assert "\n" not in str(error.value)
    assert keys(bucket, "docs/sub//b.md") == ["docs/sub//b.md"]


def test_an_object_that_a_service_takes_for_another_is_not_read_as_that(bucket, put, monkeypatch):
    """Some take `a/../b` for `b`: the version that was listed is not there."""
    put("d/../x.md", b"odd")
    (found,) = list_objects(f"s3://{bucket}/d")
    put("d/../x.md", b"something else")
    (raw,) = read(found, 100)
    assert raw.reason is IngestReason.UNREADABLE


def test_one_object_that_cannot_be_read_has_a_reason_and_the_others_are_read(workspace, bucket, put, monkeypatch):
    for key in ("docs/a.md", "docs/b//c.md", "docs/d.md"):
        put(key, f"# {key}\n\n".encode() + b"A text that is long enough to be kept as a document of its own. " * 9)
    from gem_tasks.corpus.sources import remote

    real = remote.obstore.open_reader

    def archived(store, key, **options):
        if key == "docs/d.md":
            raise GenericError(
                "Generic S3 error: Server returned non-2xx status code: 400 Bad Request: InvalidObjectState"
            )
        return real(store, key, **options)

    monkeypatch.setattr(remote.obstore, "open_reader", archived)
    work = workspace()
    report = ingest(work, f"s3://{bucket}/docs", "2026-01-31T14:00")
    assert (report.objects, report.rejected, report.segments) == (3, 1, 2)
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT uri, reason, detail FROM documents ORDER BY uri").fetchall()
    assert [(row["uri"].removeprefix(f"s3://{bucket}/"), row["reason"]) for row in rows] == [
        ("docs/a.md", None), ("docs/b//c.md", None), ("docs/d.md", "unreadable"),
    ]  # fmt: skip
    assert "400" in rows[2]["detail"]


def test_a_prefix_does_not_reach_over_the_edge_of_a_root(workspace, bucket, put):
    put("opener/secret.md", b"A secret that lies beside the root. " * 20)
    work = workspace(source_roots=f"s3://{bucket}/open")
    report = ingest(work, f"s3://{bucket}/open", "2026-01-31T14:00")
    assert (report.objects, report.documents) == (0, 0)
