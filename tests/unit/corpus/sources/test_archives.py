"""Members of archives: what is read, what is refused by name, and what a hostile or broken archive may cost."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import warnings
import zipfile

import pyarrow as pa
import pytest

from gem_tasks.corpus.sources import archives, packed
from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.corpus.sources.objects import media_type
from gem_tasks.pipeline.ingest.source import documents_of

MEMBERS = {
    "./docs/a.md": b"# A\n",
    "r.jsonl": b'{"id": "x", "text": "one"}\n{"text": "two"}\n',
    "block.txt": b"z" * 512,
    "gr\udcfcn.txt": b"green",
    "packed.txt.gz": gzip.compress(b"packed"),
    "img.png": b"x",
    ".hidden/b.md": b"x",
    "../evil.md": b"x",
    "/etc/abs.md": b"x",
    "in.tgz": b"x",
    "docs/a.md": b"again",
}
READ = {
    "!/docs/a.md": "# A\n",
    "!/r.jsonl#x": "one",
    "!/r.jsonl#2": "two",
    "!/block.txt": "z" * 512,
    "!//gr%FCn.txt": "green",
    "!/packed.txt.gz": "packed",
    "!/../evil.md": ("unreadable", "its name leads out of the archive"),
    "!//etc/abs.md": ("unreadable", "its name leads out of the archive"),
    "!/in.tgz": ("unsupported", "an archive inside an archive: unpack it"),
    "!/docs/a.md#8": ("bad_record", "the archive has an earlier member of this name"),
}
LINKS = {
    "!/link.md": ("unreadable", "a link, which GEM does not follow"),
    "!/hard.md": ("unreadable", "a link, which GEM does not follow"),
    "!/device.md": ("unreadable", "a device, a pipe or a sparse file"),
}
PACK = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": lambda data: bz2.compress(data[:700]) + bz2.compress(data[700:]),
    ".xz": lambda data: lzma.compress(data[:700]) + bytes(8) + lzma.compress(data[700:]),
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


def tar(members=MEMBERS, **kinds):
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, kind in kinds.items():
            info = tarfile.TarInfo(f"{name}.md")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return stored.getvalue()


def zipped(members, method=zipfile.ZIP_DEFLATED, change=lambda info: None):
    stored = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(stored, "w", method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, data)
            change(archive.infolist()[-1])
    return stored.getvalue()


def found_in(path, data, limit=10**6, rows=10**6):
    """`{URI after the archive's: text, or (reason, detail)}` of the documents."""
    path.write_bytes(data)
    (found,) = list_objects(str(path))
    raws = list(documents_of(found, limit, rows))
    assert {raw.read_from for raw in raws} == {found.uri}
    assert len({raw.uri for raw in raws}) == len(raws)
    return {raw.uri.removeprefix(found.uri): (str(raw.reason), raw.detail) if raw.reason else raw.text for raw in raws}


@pytest.mark.parametrize("compression", PACK)
def test_a_tar_s_members_are_documents(tmp_path, compression):
    data = tar(link=tarfile.SYMTYPE, hard=tarfile.LNKTYPE, device=tarfile.CHRTYPE)
    assert found_in(tmp_path / f"a.tar{compression}", PACK[compression](data)) == READ | LINKS


def test_a_zip_s_members_are_documents(tmp_path):
    members = {name: data for name, data in MEMBERS.items() if "\udcfc" not in name}
    read = {uri: text for uri, text in READ.items() if "%FC" not in uri}
    read["!/docs/a.md#7"] = read.pop("!/docs/a.md#8")
    assert found_in(tmp_path / "a.ZIP", zipped(members)) == read


@pytest.mark.parametrize("compression", PACK)
def test_a_tar_that_is_cut_off_keeps_what_was_read_and_says_so(tmp_path, compression):
    whole = tar({f"{number}.txt": os.urandom(600).hex().encode() for number in range(9)})
    data = PACK[compression](whole[: 3 * 2048 + 300] if not compression else whole)
    found = found_in(tmp_path / f"a.tar{compression}", data if not compression else data[: len(data) * 2 // 3])
    assert found.pop("")[0] == "unreadable"
    assert compression == ".zst" or "!/0.txt" in found  # all of it is one block


@pytest.mark.parametrize("size", [1024, 2048])
def test_a_tar_that_ends_between_members_is_not_whole(tmp_path, size):
    found = found_in(tmp_path / "a.tar", tar({"a.txt": b"a", "b.txt": b"b"})[:size])
    assert found[""] == ("unreadable", archives.CUT)


def test_a_damaged_header_ends_a_tar_with_a_reason(tmp_path):
    data = bytearray(tar({"a.txt": b"a", "b.txt": b"b"}))
    data[1024:1100] = b"!" * 76
    found = found_in(tmp_path / "a.tar", bytes(data))
    assert found == {"!/a.txt": "a", "": ("unreadable", archives.CUT)}


ODD_ZIPS = {
    "cut": (lambda data: data[:-40], {"": ("unreadable", "File is not a zip file")}),
    "no zip": (lambda data: b"hello" * 100, {"": ("unreadable", "File is not a zip file")}),
    "empty file": (lambda data: b"", {"": ("unreadable", "File is not a zip file")}),
    "after other data": (lambda data: b"#!/bin/sh\n" + data, {"!/a.txt": "a" * 99, "!/b.txt": "b" * 99}),
}


@pytest.mark.parametrize("kind", ODD_ZIPS)
def test_an_odd_zip_has_a_reason(tmp_path, kind):
    change, expected = ODD_ZIPS[kind]
    assert found_in(tmp_path / "a.zip", change(zipped({"a.txt": b"a" * 99, "b.txt": b"b" * 99}))) == expected


def test_a_damaged_or_encrypted_member_leaves_the_others(tmp_path):
    data = bytearray(zipped({"a.txt": os.urandom(99).hex().encode(), "b.txt": b"b" * 99, "c.txt": b"c" * 99}))
    data[60:70] = bytes(10)
    second = data.rindex(b"b.txt") - 46
    data[second + 8] |= 1
    found = found_in(tmp_path / "a.zip", bytes(data))
    assert (found["!/a.txt"][0], found["!/b.txt"], found["!/c.txt"]) == (
        "unreadable", ("unreadable", "it is encrypted"), "c" * 99,
    )  # fmt: skip


def test_links_and_methods_that_are_not_followed_in_a_zip(tmp_path):
    def link(info):
        info.external_attr = 0o120777 << 16

    assert found_in(tmp_path / "a.zip", zipped({"a.md": b"/etc/passwd"}, change=link)) == {
        "!/a.md": ("unreadable", "a link, which GEM does not follow")
    }
    found = found_in(tmp_path / "b.zip", zipped({"a.md": b"x"}, zipfile.ZIP_LZMA))
    assert found == {"!/a.md": ("unreadable", "its compression method 14 is not supported")}


@pytest.mark.parametrize("name", ["grün.md", "文档.md"])
def test_names_in_utf_8_are_read_although_they_are_not_marked(tmp_path, name):
    data = zipped({name: b"x"})
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = data.index(signature) + at
        data = data[: place + 1] + bytes([data[place + 1] & ~8]) + data[place + 2 :]
    assert found_in(tmp_path / "a.zip", data) == {f"!/{name}": "x"}


def test_windows_names_are_places_too(tmp_path):
    data = zipped({"docs/a.md": b"x", "../e.md": b"y"}).replace(b"docs/", b"docs\\").replace(b"../e", b"..\\e")
    assert set(found_in(tmp_path / "a.zip", data)) == {"!/docs/a.md", "!/../e.md"}


BOMBS = {
    "one member.tar.bz2": lambda: bz2.compress(tar({"a.txt": b"x" * 3_000_000})),
    "passed over.tar.xz": lambda: lzma.compress(tar({"a.png": bytes(3_000_000), "b.md": b"x"})),
    "members.zip": lambda: zipped({f"{number}.txt": b"x" * 40_000 for number in range(120)}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_archive_that_unpacks_to_too_much_is_left(tmp_path, name):
    found = found_in(tmp_path / name, BOMBS[name](), limit=50_000)
    assert found[""] == ("too_large", "it unpacks to more than 200 times its size")


def test_headers_that_claim_anything_cost_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_HEADER_BYTES", 10_000)
    monkeypatch.setattr(archives, "_DIRECTORY_BYTES", 10_000)
    monkeypatch.setattr(packed, "_XZ_BYTES", 1_000_000)
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.md")
        info.pax_headers = {"comment": "x" * 20_000}
        archive.addfile(info)
    assert found_in(tmp_path / "a.tar", stored.getvalue())[""][0] == "unreadable"
    many = zipped({f"{number}.md": b"" for number in range(300)})
    assert "its directory has more than" in found_in(tmp_path / "b.zip", many)[""][1]
    assert "xz:" in found_in(tmp_path / "c.tar.xz", lzma.compress(tar(), preset=9))[""][1]


def test_the_number_of_documents_is_bounded(tmp_path):
    data = tar({f"{number}.jsonl": b'{"text": "x"}\n' * 5 for number in range(5)})
    found = found_in(tmp_path / "a.tar", data, rows=7)
    assert (len(found), found[""]) == (8, ("too_large", "GEM read only its first 7 documents"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.tar", ("application/x-tar", "")),
        ("A.TGZ", ("application/x-tar", ".gz")),
        ("a.tar.xz", ("application/x-tar", ".xz")),
        ("a.txz", ("application/x-tar", ".xz")),
        ("a.zip", ("application/zip", "")),
        ("a.zip.gz", None),
        ("a.md.bz2", None),
        ("a.md.gz", ("text/markdown", ".gz")),
        ("gz", None),
        (".tgz", None),
    ],
)
def test_formats_by_name(name, expected):
    assert media_type(name) == expected
