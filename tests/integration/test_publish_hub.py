"""Dataset versions reach the Hub through its own client: a small Hub over HTTP that keeps what is committed."""

import base64
import json
import os
import re
import subprocess
import threading
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pyarrow.parquet as pq
import pytest
import yaml

from gem_tasks.dataset.export import published
from gem_tasks.errors import UserError
from gem_tasks.hub import card, rows
from gem_tasks.hub.publish import publish_to_hub
from tests.corpus import PARTITION

REPO = "acme/manuals"
SHA = "a" * 40
WITH_DATASETS = os.environ.get("GEM_TEST_DATASETS", "")
PLOTS = ("plots/messages.svg", "plots/domains.svg", "plots/tools.svg")


def blob_id(data):
    """The id that git gives a file."""
    return None if data is None else sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """Creates a repository, lists its files, and takes commits of small files."""

    files: dict[str, bytes]
    asked: list[tuple[str, str, str]]
    created: list[dict]
    commits: list[list[str]]
    closed: bool
    public: bool

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self._path(body)
        if self.closed:
            self._json({"error": "Forbidden"}, 403)
        elif path == "/api/repos/create":
            self.created.append(json.loads(body))
            self._json({"url": f"http://{self.headers['Host']}/datasets/{REPO}", "name": REPO, "id": "1"})
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif path.endswith("/preupload/main"):
            files = [{**each, "uploadMode": "regular", "shouldIgnore": False} for each in json.loads(body)["files"]]
            self._json({"files": [{**each, "oid": blob_id(self.files.get(each["path"]))} for each in files]})
        elif path.endswith("/commit/main"):
            self._commit([json.loads(line) for line in body.splitlines()])
        else:
            self._json({"error": "not here"}, 404)

    def do_GET(self):
        path = self._path(b"")
        if re.match(rf"/api/datasets/{REPO}/tree/main", path):
            entries = [
                {"type": "file", "path": name, "size": len(data), "oid": "0" * 40} for name, data in self.files.items()
            ]
            self._json(entries)
        else:
            self._json({"id": REPO, "sha": SHA, "siblings": [{"rfilename": name} for name in self.files],
                        "private": not self.public, "tags": [], "downloads": 0})  # fmt: skip

    def _path(self, body):
        path = unquote(urlsplit(self.path).path)
        self.asked.append((self.command, path, self.headers.get("Authorization", "")))
        return path

    def _commit(self, lines):
        self.commits.append([])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del self.files[value["path"]]
            self.commits[-1].append(f"{line['key']} {value.get('path', '')}")
        self._json(
            {
                "commitUrl": f"http://{self.headers['Host']}/datasets/{REPO}/commit/{SHA}",
                "commitOid": SHA,
                "success": True,
            }
        )

    def _json(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(monkeypatch):
    from huggingface_hub import constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 20)
    Hub.files, Hub.asked, Hub.created, Hub.commits = {}, [], [], []
    Hub.closed = Hub.public = False
    yield Hub
    server.shutdown()
    server.server_close()


def folder_of(hub, version):
    """The only folder of the version."""
    (folder,) = {name[: name.index("/", 5) + 1] for name in hub.files if name.startswith(f"data/{version}-")}
    return folder


def changed(work, version, **values):
    """The version with another manifest."""
    key = f"datasets/{version}/manifest.json"
    work.store.put(key, json.dumps({**json.loads(work.store.get(key)), **values}).encode())


def test_versions_are_sent_once_with_a_card_and_typed_columns(finished, hub, tmp_path):
    work, _, report = finished
    found = publish_to_hub(work, REPO)
    folder = folder_of(hub, report.version)
    path = f"{folder}train-00000.parquet"
    assert (found.trajectories, found.sent, found.removed) == (report.trajectories, (report.version,), 0)
    assert [each.get("visibility") or each.get("private") for each in hub.created] == ["private"]
    assert set(hub.files) == {
        path, *(place + name for place in ("", folder) for name in ("README.md", *PLOTS))
    }  # fmt: skip
    written = [token for method, path, token in hub.asked if method == "POST" and path.endswith(("create", "main"))]
    assert written
    assert all("Bearer hf_" in token for token in written)
    header = yaml.safe_load(hub.files["README.md"].decode().split("---\n")[1])
    assert header["configs"][0] == {
        "config_name": "default", "default": True, "data_files": [{"split": "train", "path": [path]}]
    }  # fmt: skip
    assert header["configs"][1] == {
        "config_name": report.version, "data_files": [{"split": "train", "path": path}]
    }  # fmt: skip
    assert header["size_categories"] == ["n<1K"]
    assert "tool-use" in header["tags"]
    (tmp_path / "x.parquet").write_bytes(hub.files[path])
    read = pq.read_table(tmp_path / "x.parquet").to_pylist()
    (wanted, *_), row = published(work), read[0]
    assert len(read) == report.trajectories
    assert [message["role"] for message in row["messages"]] == [message["role"] for message in wanted["messages"]]
    assert json.loads(row["tools"]) == wanted["tools"]
    assert (row["trajectory_id"], row["partition"]) == (wanted["metadata"]["trajectory_id"], PARTITION)
    assert (row["plan_temper"], row["plan_messages"]) == tuple(
        wanted["metadata"]["plan"][name] for name in ("temper", "messages")
    )
    again = publish_to_hub(work, REPO)
    assert again.sent == ()
    assert again.versions == (report.version,)
    assert len(hub.commits) == 1


def test_every_card_shows_plots_that_lie_beside_it(finished, hub):
    work, _, report = finished
    publish_to_hub(work, REPO)
    for place in ("", folder_of(hub, report.version)):
        shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", hub.files[f"{place}README.md"].decode())
        assert sorted(shown) == sorted(PLOTS)
        assert all(hub.files[place + name].startswith(b"<?xml") for name in shown)


def test_the_plots_of_the_repository_count_all_versions():
    one = {"lengths": {"draft": {"20": 1}, "refined": {"30": 1}}, "domains": {"retail": 2}, "tools": {"find_order": 1}}
    other = {
        "lengths": {"draft": {"20": 2}, "refined": {"40": 2}},
        "domains": {"travel": 3},
        "tools": {"find_order": 4},
    }
    drawn = card.pictures([one, other])
    domains, tools = (
        re.findall(rb"<text[^>]*>([^<]+)", drawn[f"plots/{name}.svg"])[1:] for name in ("domains", "tools")
    )
    assert domains == [b"travel", b"3", b"retail", b"2"]
    assert tools == [b"find_order", b"5"]
    assert b">30-39<" in drawn["plots/messages.svg"]


def test_a_version_whose_columns_are_of_an_earlier_gem_is_sent_again(finished, hub, monkeypatch):
    """`load_dataset` stops if the files of a config have different columns."""
    work, _, report = finished
    with monkeypatch.context() as earlier:
        earlier.setattr(rows, "COLUMNS", rows.COLUMNS[:-1])
        publish_to_hub(work, REPO)
    old = folder_of(hub, report.version)
    again = publish_to_hub(work, REPO)
    assert again.sent == (report.version,)
    assert [name for name in hub.files if name.startswith(old)] == []


LOAD = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
for name in get_dataset_config_names(sys.argv[1]):
    for streaming in (False, True):
        print(json.dumps(list(load_dataset(sys.argv[1], name, split="train", streaming=streaming))))
"""


@pytest.mark.skipif(not WITH_DATASETS, reason="set GEM_TEST_DATASETS to a Python with datasets")
def test_load_dataset_reads_every_column_of_every_config(finished, hub, tmp_path):
    work, _, report = finished
    publish_to_hub(work, REPO)
    for name, data in hub.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    command = [WITH_DATASETS, "-c", LOAD, str(tmp_path)]
    loaded = subprocess.run(command, capture_output=True, env={"HOME": str(tmp_path / "home")}, check=True).stdout
    wanted = pq.read_table(tmp_path / folder_of(hub, report.version) / "train-00000.parquet").to_pylist()
    assert [json.loads(line) for line in loaded.splitlines()] == [wanted] * 4


def test_files_of_versions_that_are_no_longer_current_go_and_others_stay(finished, hub):
    work, _, report = finished
    old = "data/20260101T0000-0123abcd/train-00000.parquet"
    hub.files |= {old: b"x", "data/mine/notes.txt": b"x", "mine.txt": b"x"}
    assert publish_to_hub(work, REPO).removed == 1
    assert old not in hub.files
    assert {"data/mine/notes.txt", "mine.txt"} <= hub.files.keys()
    assert f"{folder_of(hub, report.version)}train-00000.parquet" in hub.files


@pytest.mark.parametrize(
    ("values", "options", "why"),
    [
        ({"licenses": {"CC BY-ND 4.0": 2}}, {}, "forbids publishing"),
        ({"licenses": {"unknown": 2}}, {"public": True}, "claim no licence"),
        ({"contamination": {"packages": {}, "items": 0, "kept": 0}}, {}, "was not compared with benchmarks"),
        ({"contamination": {"packages": {"bfcl_eval": "1"}, "items": 1, "kept": 3}}, {}, "contains 3 trajectories"),
        ({}, {"audited": True}, "has passed no audit"),
    ],
    ids=["no derivatives", "no licence", "not checked", "contaminated", "not audited"],
)
def test_what_may_not_be_published_is_not_sent(finished, hub, values, options, why):
    work, _, report = finished
    changed(work, report.version, **values)
    with pytest.raises(UserError, match=why):
        publish_to_hub(work, REPO, **options)
    assert hub.asked == []


def test_a_hub_that_refuses_is_one_line_without_the_token(finished, hub):
    work, *_ = finished
    hub.closed = True
    with pytest.raises(UserError, match="The Hub refuses acme/manuals") as refused:
        publish_to_hub(work, REPO)
    assert "HF_TOKEN" in str(refused.value)
    assert "hf_x" not in str(refused.value)


def test_a_repository_that_is_public_already_gets_nothing_unless_that_is_asked_for(finished, hub):
    work, *_ = finished
    hub.public = True
    with pytest.raises(UserError, match="acme/manuals exists and is public"):
        publish_to_hub(work, REPO)
    assert hub.files == {}
    assert hub.commits == []
