"""A source is listed as it is, or refused in one clear line."""

import os
import tempfile
from pathlib import Path

import pytest

from gem_tasks.corpus.readers import read
from gem_tasks.corpus.sources import admit, list_objects
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.errors import UserError


def write(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    return root


def names(root, source=None):
    return [found.uri.removeprefix(f"file://{root}/") for found in list_objects(str(source or root))]


def reasons(root):
    return {
        raw.uri.rstrip("/").rpartition("/")[2]: raw.reason
        for found in list_objects(str(root))
        for raw in read(found, 1000)
    }


@pytest.fixture
def as_user():
    """A folder of somebody whom permissions bind, which they do not root."""
    with tempfile.TemporaryDirectory() as folder:
        ours = os.geteuid()
        if ours == 0:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        yield Path(folder)
        os.seteuid(ours)


def test_a_tree_is_listed_in_order_without_hidden_and_foreign_files(tmp_path):
    write(tmp_path, "outside.txt")
    root = write(
        tmp_path / "root", "b.md", "a/z.txt", "a/.hidden.txt", ".git/x.txt", "image.png", "a/c.HTML", "a/d.md.gz"
    )
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "inside.txt").symlink_to(root / "b.md")
    (root / "nowhere.txt").symlink_to(root / "gone.md")
    (root / "loop.txt").symlink_to(root / "loop.txt")
    os.mkfifo(root / "pipe.txt")
    assert names(root) == ["a/c.HTML", "a/d.md.gz", "a/z.txt", "b.md", "inside.txt", "loop.txt"]
    assert reasons(root)["loop.txt"] is IngestReason.UNREADABLE


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_single_file_is_a_source(tmp_path, form):
    root = write(tmp_path, "a b#c%20.md")
    assert names(root, form.format(root / "a b#c%20.md")) == ["a b#c%20.md"]


def test_a_uri_with_escapes_is_understood(tmp_path):
    root = write(tmp_path, "a b.md")
    assert names(root, (root / "a b.md").as_uri()) == ["a b.md"]


def test_a_link_given_by_name_is_read_under_that_name(tmp_path):
    """As download caches have it: the readable name links to an object named by its hash."""
    root = write(tmp_path, "blobs/0f3a")
    (root / "corpus.txt").symlink_to(root / "blobs" / "0f3a")
    assert names(root, root / "corpus.txt") == ["corpus.txt"]


def test_a_name_that_is_no_utf8_can_be_stored_and_read(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfcn.txt")).write_bytes(b"words")
    (found,) = list_objects(str(tmp_path))
    assert found.uri.endswith("/gr\ufffdn.txt")
    assert next(read(found, 100)).text == "words"


def test_the_etag_changes_with_the_file(tmp_path):
    path = write(tmp_path, "a.txt") / "a.txt"
    (before,) = list_objects(str(path))
    os.utime(path, ns=(1, 1))
    (after,) = list_objects(str(path))
    assert (before.size, before.media_type, before.compression) == (1, "text/plain", "")
    assert before.etag != after.etag


def test_what_is_closed_to_us_in_a_tree_has_a_reason_and_stops_nothing(as_user):
    root = write(as_user, "open.txt", "file.txt", "folder/a.txt", "listed/b.txt")
    (root / "file.txt").chmod(0)
    (root / "folder").chmod(0)
    (root / "listed").chmod(0o400)
    try:
        found = reasons(root)
    finally:
        (root / "folder").chmod(0o700)
        (root / "listed").chmod(0o700)
    closed = IngestReason.UNREADABLE
    assert found == {"open.txt": None, "file.txt": closed, "folder": closed, "b.txt": closed}


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("/does/not/exist", "does not exist"),
        ("file:///does/not/exist", "does not exist"),
        ("/etc/passwd/x", "does not exist"),
        ("a\0b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
        ("~nobody-of-that-name/x", "does not exist"),
        ("ftp://host/x", "is no source"),
        ("s3://", "is no source"),
        ("http://[", "is no source"),
        ("", "is no source"),
    ],
)
def test_a_source_that_is_none_is_one_clear_line(tmp_path, monkeypatch, source, cause):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=cause) as error:
        list(list_objects(source))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("given", ["", "image.png"])
def test_a_source_with_nothing_readable_says_what_is_readable(tmp_path, given):
    (tmp_path / "image.png").write_bytes(b"x")
    with pytest.raises(UserError, match=r"\.jsonl") as error:
        list(list_objects(str(tmp_path / given)))
    assert str(tmp_path / given) in str(error.value)


OUTSIDE = [
    "{root}/../secret",
    "{root}x/a.md",
    "/etc/passwd",
    "file:///etc",
    "file://{root}/..%2Fsecret",
    "{root}/link",
    "a\0b",
]


@pytest.mark.parametrize("source", OUTSIDE)
def test_what_leads_out_of_the_roots_is_refused(tmp_path, source):
    root = write(tmp_path / "open", "a.md")
    write(tmp_path / "secret", "b.md")
    (root / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(UserError, match="outside of what may be read") as refused:
        admit(source.format(root=root), [str(root), "s3://corpus/open"])
    assert "GEM_SOURCE_ROOTS" in refused.value.mend


@pytest.mark.parametrize(
    "source",
    ["s3://corpus/opener", "s3://corpus", "s3://other/open", "hf://datasets/a/b", "s3://corpus/open/../secret/a.md"],
)
def test_a_prefix_ends_at_a_slash_and_is_not_left(source):
    with pytest.raises(UserError, match="outside"):
        admit(source, ["/data", "s3://corpus/open"])


def test_what_lies_in_a_root_is_read(tmp_path):
    root = write(tmp_path / "open", "sub/a.md")
    for source in (root, root / "sub", root / "sub" / "a.md", root / "sub" / ".." / "sub", f"file://{root}/sub"):
        assert admit(str(source), [f"file://{root}"]) == "files"
    assert admit("s3://corpus/open/2026", ["s3://corpus/open/"]) == "s3"
    assert admit("s3://corpus/open", ["/data", "s3://corpus/open"]) == "s3"
    assert admit("hf://datasets/a/b", ["s3://", "hf://"]) == "hf"
    assert admit("/anywhere") == "files"
