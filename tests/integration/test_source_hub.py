"""A dataset on the Hub is a source like a folder is: the Hub's own client against a small Hub over HTTP."""

import gzip
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.errors import UserError

SHA = "a" * 40
REPO = "acme/manuals"


class Hub(BaseHTTPRequestHandler):
    """What the client asks for: a dataset's revision, its tree, a file's head and its ranges."""

    files: dict[str, bytes]

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if re.fullmatch(rf"/api/datasets/{REPO}(/revision/[^/]+)?", path):
            self._json({"id": REPO, "sha": SHA, "siblings": [], "private": False, "tags": [], "downloads": 0})
        elif match := re.fullmatch(rf"/api/datasets/{REPO}/tree/{SHA}/?(.*)", path):
            self._json([self._entry(name) for name in self.files if name.startswith(match[1])])
        elif match := re.fullmatch(rf"/datasets/{REPO}/resolve/{SHA}/(.+)", path):
            self._file(match[1])
        else:
            self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def do_POST(self):
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}").get("paths", [])
        self._json([self._entry(name) for name in wanted if name in self.files])

    def _entry(self, name):
        data = self.files[name]
        entry = {"type": "file", "path": name, "size": len(data), "oid": f"{hash(data) & 0xFFFFFFFF:040x}"}
        if name.endswith(".parquet"):
            entry["lfs"] = {"oid": f"{hash(data) & 0xFFFFFFFF:064x}", "size": len(data), "pointerSize": 130}
        return entry

    def _file(self, name):
        data, status, extra = (
            self.files[name],
            200,
            {"ETag": f'"{name}"', "X-Repo-Commit": SHA, "Accept-Ranges": "bytes"},
        )
        if match := re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(match[1]), min(int(match[2] or len(data) - 1), len(data) - 1)
            extra["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            data, status = data[first : last + 1], 206
        self._send(data, status, extra)

    def _json(self, value, status=200, extra=None):
        self._send(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(extra or {})})

    def _send(self, data, status, extra):
        self.send_response(status)
        for name, value in {**extra, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Files of the dataset; the client is pointed at this server as HF_ENDPOINT would."""
    import huggingface_hub
    from huggingface_hub import constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")
    Hub.files = {}
    huggingface_hub.HfFileSystem.clear_instance_cache()
    yield Hub.files
    server.shutdown()
    server.server_close()


def parquet(tmp_path, **columns):
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    return (tmp_path / "x.parquet").read_bytes()


def test_files_of_a_dataset_are_listed_sorted_and_read_in_ranges(hub, tmp_path):
    hub["data/b.parquet"] = parquet(tmp_path, id=["x", "y"], text=["one", "two"])
    hub["README.md"] = b"# About\n\nA dataset."
    hub["data/a.jsonl.gz"] = gzip.compress(b'{"id": "z", "text": "three"}\n')
    hub["data/picture.png"] = b"x"
    hub[".gitattributes"] = b"x"
    found = list(list_objects(f"hf://datasets/{REPO}"))
    base = f"hf://datasets/{REPO}"
    assert [item.uri for item in found] == [
        f"{base}/{name}" for name in ("README.md", "data/a.jsonl.gz", "data/b.parquet")
    ]
    assert all(len(item.etag) >= 40 for item in found)
    raws = [raw for item in found for raw in read(item, 10_000)]
    assert [(raw.uri.removeprefix(base + "/"), raw.text, raw.reason) for raw in raws] == [
        ("README.md", "# About\n\nA dataset.", None),
        ("data/a.jsonl.gz#z", "three", None),
        ("data/b.parquet#x", "one", None),
        ("data/b.parquet#y", "two", None),
    ]


def test_a_folder_of_a_revision_from_a_position_on(hub):
    hub["data/a.txt"], hub["data/b.txt"], hub["c.txt"] = b"a", b"b", b"c"
    base = f"hf://datasets/{REPO}@main"
    assert [item.uri for item in list_objects(f"{base}/data")] == [f"{base}/data/a.txt", f"{base}/data/b.txt"]
    assert [item.uri for item in list_objects(base, after=f"{base}/data/a.txt")] == [f"{base}/data/b.txt"]


@pytest.mark.parametrize("name", ["datasets/acme/nothing", "datasets/acme", "models/acme/x"])
def test_a_dataset_that_is_none_is_one_clear_line(hub, name):
    with pytest.raises(UserError) as error:
        list(list_objects(f"hf://{name}"))
    assert "\n" not in str(error.value)
    assert type(error.value) is UserError, "a task would retry in vain"


def test_a_hub_that_cannot_be_reached_is_one_line(hub, monkeypatch):
    import huggingface_hub
    from huggingface_hub import constants

    from gem_tasks.errors import StoreError, UnavailableError

    hub["a.txt"] = b"a"
    (item,) = list_objects(f"hf://datasets/{REPO}")
    huggingface_hub.HfFileSystem.clear_instance_cache()
    for name in ("ENDPOINT", "HUGGINGFACE_CO_URL_TEMPLATE"):
        monkeypatch.setattr(constants, name, "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match=f"hf://datasets/{REPO} cannot be listed"):
        list(list_objects(f"hf://datasets/{REPO}"))
    with pytest.raises(StoreError, match=r"a\.txt cannot be read"):
        item.open()
