"""What was swapped between listing and reading is never read, and never waited for."""

import os
import shutil
from pathlib import Path

import pytest

from gem_tasks.corpus.sources.listing import inside, list_objects
from gem_tasks.corpus.sources.objects import SourceObject
from gem_tasks.errors import UserError


@pytest.fixture
def place(tmp_path):
    """A source beside a secret that must not be read."""
    (tmp_path / "outside" / "below").mkdir(parents=True)
    for name in ("secret.txt", "below/a.txt", "b.txt"):
        (tmp_path / "outside" / name).write_text("SECRET")
    (tmp_path / "source" / "below").mkdir(parents=True)
    (tmp_path / "source" / "below" / "a.txt").write_text("fine")
    (tmp_path / "source" / "b.txt").write_text("fine")
    return tmp_path


def swap(path, made):
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    made(path)


SWAPS = {
    "a link to a file": ("b.txt", lambda path: path.symlink_to(path.parents[1] / "outside" / "secret.txt"), "a link"),
    "a link to a file inside": ("b.txt", lambda path: path.symlink_to("below/a.txt"), "a link"),
    "a link to a folder": ("below", lambda path: path.symlink_to(path.parents[1] / "outside" / "below"), "a link"),
    "a relative link": ("below", lambda path: path.symlink_to("../outside/below"), "a link"),
    "a pipe": ("b.txt", os.mkfifo, "a pipe"),
    "a folder": ("b.txt", os.mkdir, "a folder"),
}


@pytest.mark.parametrize("name", SWAPS)
def test_a_swapped_name_is_refused_when_it_is_opened(place, name):
    which, made, why = SWAPS[name]
    found = {item.uri.partition("/source/")[2]: item for item in list_objects(str(place / "source"))}
    swap(place / "source" / which, made)
    opened = found["below/a.txt" if which == "below" else which]
    with pytest.raises(OSError, match=why):
        opened.open()


def test_a_folder_above_the_source_cannot_be_swapped_either(place):
    (item, *_) = list_objects(str(place / "source"))
    (place / "source").rename(place / "gone")
    (place / "source").symlink_to(place / "outside")
    with pytest.raises(OSError, match="a link"):
        item.open()


def test_a_folder_swapped_while_it_is_walked_is_not_listed(place, monkeypatch):
    walk = list_objects(str(place / "source"))
    assert next(walk).uri.endswith("/b.txt")  # `below` is listed already, but not looked into
    swap(place / "source" / "below", lambda path: path.symlink_to(place / "outside" / "below"))
    rest = list(walk)
    assert [item.media_type for item in rest] in ([], ["inode/directory"])
    for item in rest:
        with pytest.raises(OSError, match="a link"):
            item.open()


def test_links_inside_of_a_source_are_read_and_others_are_not(place):
    (place / "source" / "in.txt").symlink_to("below/a.txt")
    (place / "source" / "out.txt").symlink_to(place / "outside" / "secret.txt")
    found = {item.uri.rpartition("/")[2]: item for item in list_objects(str(place / "source"))}
    assert sorted(found) == ["a.txt", "b.txt", "in.txt"]
    with found["in.txt"].open() as file:
        assert file.read() == b"fine"


def test_roots_are_asked_of_what_is_opened_not_of_its_name(place):
    link = place / "source" / "link.txt"
    link.symlink_to(place / "outside" / "secret.txt")
    (item,) = list_objects(str(link))
    assert item.path == str(place / "outside" / "secret.txt")
    assert not inside(item, [str(place / "source")])
    assert inside(item, [str(place / "outside")])
    assert inside(item, [])
    assert not inside(item, [str(place / "out")])
    swap(link, lambda path: path.symlink_to("b.txt"))  # too late: what was listed is what is opened
    with item.open() as file:
        assert file.read() == b"SECRET"


def test_a_bucket_s_neighbour_is_outside():
    item = SourceObject("s3://b/data2/a.txt", "", 1, "text/plain", "", open=lambda: pytest.fail())
    assert not inside(item, ["s3://b/data"])
    assert inside(item, ["s3://b/data2/", "s3://b/data"])


@pytest.mark.parametrize("source", ["/proc/self", "/proc", "/sys/kernel"])
def test_what_the_system_makes_up_is_no_source(source, tmp_path):
    with pytest.raises(UserError, match="the system generates it"):
        list(list_objects(source))
    (tmp_path / "x.txt").symlink_to("/proc/self/environ")
    with pytest.raises(UserError, match="the system generates it"):
        list(list_objects(str(tmp_path / "x.txt")))


def test_nothing_stays_open(place):
    found = list(list_objects(str(place / "source")))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for item in found:
        item.open().close()
    swap(place / "source" / "b.txt", os.mkfifo)
    for item in found:
        try:
            item.open().close()
        except OSError:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_link_whose_way_is_closed_to_us_hides_no_other_file(place, monkeypatch):
    (place / "source" / "closed.txt").symlink_to("/proc/1/root/etc/hostname")
    real = os.path.realpath

    def realpath(path, **options):
        if str(path).endswith("/closed.txt"):
            raise PermissionError(13, "Permission denied", "/proc/1/root")
        return real(path, **options)

    monkeypatch.setattr(os.path, "realpath", realpath)
    assert [item.uri.rpartition("/")[2] for item in list_objects(str(place / "source"))] == ["b.txt", "a.txt"]
