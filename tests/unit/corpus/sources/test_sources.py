"""A source is listed as it is, or refused in one clear line."""

import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import admit, list_objects
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


@contextmanager
def as_user():
    """A folder of a user whom permissions bind; they do not bind root.

    Not a fixture: what pytest does around a test needs the checkout, which may lie below a folder closed to others.
    """
    with tempfile.TemporaryDirectory() as folder:
        ours = os.geteuid()
        if ours == 0:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
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
    assert names(root) == ["a/c.HTML", "a/d.md.gz", "a/z.txt", "b.md", "inside.txt", "loop.txt"]
    assert reasons(root)["loop.txt"] is IngestReason.UNREADABLE


def test_what_is_no_file_has_a_reason_that_names_it_and_is_never_waited_for(tmp_path):
    root = write(tmp_path, "a.txt", "folder/x.png")
    os.mkfifo(root / "pipe.txt")
    (root / "device.txt").symlink_to("/dev/full")
    (root / "linked.md").symlink_to(root / "folder")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "socket.md"))
        found = {found.uri.rpartition("/")[2]: next(read(found, 1000)) for found in list_objects(str(root))}
    assert {name: raw.reason for name, raw in found.items()} == {
        "a.txt": None,
        "linked.md": IngestReason.UNREADABLE,
        "pipe.txt": IngestReason.UNREADABLE,
        "socket.md": IngestReason.UNREADABLE,
    }
    assert ["a pipe" in found["pipe.txt"].detail, "a socket" in found["socket.md"].detail] == [True, True]
    assert "a folder" in found["linked.md"].detail


def test_a_file_that_became_a_pipe_after_it_was_listed_is_not_waited_for(tmp_path):
    root = write(tmp_path, "a.txt")
    (found,) = list_objects(str(root))
    (root / "a.txt").unlink()
    os.mkfifo(root / "a.txt")
    assert next(read(found, 1000)).reason is IngestReason.UNREADABLE


def test_a_folder_that_vanishes_while_it_is_walked_is_passed_over(tmp_path):
    root = write(tmp_path, "a.txt", "b/c.txt", "d.txt")
    listing = list_objects(str(root))
    assert next(listing).uri.endswith("/a.txt")
    shutil.rmtree(root / "b")
    (root / "d.txt").unlink()
    assert list(listing) == []


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
    assert found.uri == f"file://{tmp_path}//gr%FCn.txt"
    assert found.uri.encode()
    assert next(read(found, 100)).text == "words"
    (again,) = list_objects(found.uri)
    assert (again.uri, next(read(again, 100)).text) == (found.uri, "words")


ODD_NAMES = [
    b"gr\xe4n.txt", b"gr\xe5n.txt", b"gr%E4n.txt", b"gr\xef\xbf\xbdn.txt", b"gr\xff\xfe.txt", b"gr.txt",
    b"gr\xc3\xa4n.txt", b"\xff/in.txt", b"\xfe/in.txt", b"\xfe!.txt", b"a b#c%20?.md", b"new\nline.md", b"cr\rlf.md",
    b"\x1b[31mred.md", b" .md", b"\xf0\x9f\x98\x80.md", b"..x.md", b"%.md", b"\\.md", b"\xed\xa0\x80.md", b"z/y.md",
]  # fmt: skip


def test_names_of_all_bytes_are_listed_once_each_in_order_and_can_be_gone_on_with_anywhere(tmp_path):
    for number, name in enumerate(ODD_NAMES):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"text %d" % number)
    found = list(list_objects(str(tmp_path)))
    listed = [each for each in ODD_NAMES if not each.startswith(b".")]
    assert len({each.uri for each in found}) == len(found) == len(listed)
    assert [each.order for each in found] == sorted(each.order for each in found)
    assert sorted(next(read(each, 100)).text for each in found) == sorted(
        f"text {number}" for number, name in enumerate(ODD_NAMES) if not name.startswith(b".")
    )
    for at, each in enumerate(found):
        assert [other.uri for other in list_objects(str(tmp_path), each.uri)] == [
            other.uri for other in found[at + 1 :]
        ]


def test_the_etag_changes_with_the_file(tmp_path):
    path = write(tmp_path, "a.txt") / "a.txt"
    (before,) = list_objects(str(path))
    os.utime(path, ns=(1, 1))
    (after,) = list_objects(str(path))
    assert (before.size, before.media_type, before.compression) == (1, "text/plain", "")
    assert before.etag != after.etag


def test_what_is_closed_to_us_in_a_tree_has_a_reason_and_stops_nothing():
    with as_user() as folder:
        root = write(folder, "open.txt", "file.txt", "folder/a.txt", "listed/b.txt")
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
        ("ftp://host/x", "is not a source"),
        ("s3://", "is not a source"),
        ("http://[", "is not the address of a web source"),
        ("s3://bucket/\ud800", "is not a source"),
        ("s3://bucket/\udcff", "is not a source"),  # a byte of an argument that is no UTF-8
        ("\ud800.txt", "is not a source"),
        ("", "is not a source"),
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
    with pytest.raises(UserError, match="outside the folders that GEM may read") as refused:
        admit(source.format(root=root), [str(root), "s3://corpus/open"])
    assert "GEM_SOURCE_ROOTS" in refused.value.fix


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
